#include "machine/scheduler.h"

#include <algorithm>
#include <utility>

namespace softvt {

Scheduler::Scheduler(Timeline& timeline, ExitServer& server)
    : timeline_(timeline), server_(server) {
  timeline_.on_earlier_event([this] {
    if (running_ != nullptr) running_->request_stop();
  });
}

void Scheduler::request(MachineExit exit) {
  if (!requested_) requested_ = std::move(exit);
  if (running_ != nullptr) running_->request_stop();
}

u64 Scheduler::instructions() const {
  u64 sum = 0;
  for (const Vcpu* vcpu : vcpus_) sum += vcpu->instructions();
  return sum;
}

MachineExit Scheduler::run(const RunLimits& limits, HostSide* host) {
  last_active_ = timeline_.now();
  while (!requested_) {
    if (host != nullptr && host->poll()) {
      request({.cause = ExitCause::Interrupted});
      break;
    }
    timeline_.fire_due();
    if (requested_ || over_limit(limits)) continue;
    Vcpu* vcpu = next_ready();
    idle_ = vcpu == nullptr;
    if (vcpu == nullptr) {
      wait(limits, host);
    } else {
      run_slice(*vcpu, limits);
    }
  }
  idle_ = false;
  return *std::exchange(requested_, std::nullopt);
}

bool Scheduler::over_limit(const RunLimits& limits) {
  if (timeline_.now() >= limits.nanos) request({.cause = ExitCause::TimeLimit});
  if (limits.instructions != kNoLimit && instructions() >= limits.instructions) {
    request({.cause = ExitCause::InstructionLimit});
  }
  return requested_.has_value();
}

// The vcpu whose turn it is, if it can use what is left of its quantum; else the next one that can
// run. Null if all wait.
Vcpu* Scheduler::next_ready() {
  if (quantum_left_ > 0 && vcpus_[turn_]->ready()) return vcpus_[turn_];
  for (size_t step = 1; step <= vcpus_.size(); ++step) {
    const size_t index = (turn_ + step) % vcpus_.size();
    if (!vcpus_[index]->ready()) continue;
    turn_ = index;
    quantum_left_ = kQuantum;
    return vcpus_[index];
  }
  return nullptr;
}

i64 Scheduler::budget(const RunLimits& limits) const {
  u64 most = static_cast<u64>(quantum_left_);
  const u64 date = std::min(timeline_.next_event(), limits.nanos);
  if (date != kNever) most = std::min(most, (date - timeline_.now()) / kNanosPerInsn);
  if (limits.instructions != kNoLimit) most = std::min(most, limits.instructions - instructions());
  return static_cast<i64>(std::max<u64>(most, 1));
}

void Scheduler::run_slice(Vcpu& vcpu, const RunLimits& limits) {
  const u64 before = vcpu.instructions();
  running_ = &vcpu;
  const VcpuExit exit = vcpu.run(budget(limits));
  running_ = nullptr;
  const u64 done = vcpu.instructions() - before;
  if (done != 0) last_active_ = timeline_.now();
  // A slice without instructions must not keep the others waiting for ever.
  quantum_left_ -= static_cast<i64>(std::clamp<u64>(done, 1, kQuantum));
  handle(vcpu, exit);
}

void Scheduler::handle(Vcpu& vcpu, const VcpuExit& exit) {
  switch (exit.reason) {
    case ExitReason::Budget:
    case ExitReason::Halt:
    case ExitReason::WaitForSipi:
      return;
    case ExitReason::Shutdown:
      return request({.cause = ExitCause::TripleFault, .detail = exit.detail});
    case ExitReason::Io:
      return vcpu.complete(server_.serve_io(exit.io));
    case ExitReason::Mmio:
      return vcpu.complete(server_.serve_mmio(exit.mmio));
    case ExitReason::Hypercall: {
      // One that the layer below does not know. KVM answers -KVM_ENOSYS.
      constexpr i64 kEnosys = 1000;
      return vcpu.complete(static_cast<u64>(-kEnosys));
    }
    case ExitReason::FailEntry:
      return request({.cause = ExitCause::EntryFailed, .detail = exit.detail});
    case ExitReason::InternalError:
      return request({.cause = ExitCause::InternalError, .detail = exit.detail});
  }
}

void Scheduler::wait(const RunLimits& limits, HostSide* host) {
  const bool interruptible =
      std::any_of(vcpus_.begin(), vcpus_.end(), [](Vcpu* v) { return v->wakes_on_interrupt(); });
  const u64 next = timeline_.next_event();
  if (next == kNever) {
    if (interruptible && host != nullptr && host->wait_for_input()) return;
    if (!requested_) {
      request({.cause = ExitCause::HaltedForever,
               .detail = interruptible ? "no interrupt is on its way" : "interrupts are off"});
    }
    return;
  }
  if (!interruptible && next > last_active_ && next - last_active_ > kDeadAfterNanos) {
    return request({.cause = ExitCause::HaltedForever, .detail = "interrupts are off"});
  }
  const u64 date = std::min(next, limits.nanos);
  if (host != nullptr && date > timeline_.now()) host->pass_idle_time(date - timeline_.now());
  timeline_.set_now(date);
}

}  // namespace softvt
