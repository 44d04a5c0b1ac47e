#include "cpu/apic/apic_timer.h"

namespace softvt {

ApicTimer::ApicTimer(Timeline& timeline, std::function<u64()> tsc, std::function<void()> expired)
    : timeline_(timeline),
      tsc_(std::move(tsc)),
      expired_(std::move(expired)),
      timer_(timeline, [this] { fire(); }) {}

void ApicTimer::stop() {
  expiry_ = kNever;
  deadline_ = 0;
  timer_.cancel();
}

void ApicTimer::reset() {
  stop();
  mode_ = ApicTimerMode::kOneShot;
  divide_ = 2;
  initial_ = 0;
}

// A change between the counting modes takes effect at the next expiry; a change to or from
// TSC-deadline mode disarms the timer (SDM 3A 11.5.4.1 "TSC-Deadline Mode").
void ApicTimer::set_mode(ApicTimerMode mode) {
  if (mode == mode_) return;
  const bool counts = mode <= ApicTimerMode::kPeriodic && mode_ <= ApicTimerMode::kPeriodic;
  if (counts && expiry_ != kNever) {
    const u32 count = current_count();
    expiry_ = count == 0 ? kNever : timeline_.now() + u64{count} * divide_ * kNanosPerApicTick;
  }
  mode_ = mode;
  if (counts) return arm();
  stop();
  initial_ = 0;
}

// Bits 0, 1 and 3: 0 divides by 2 and so on to 6, which divides by 128; 7 divides by 1.
void ApicTimer::set_divide(u32 divide_configuration) {
  const u32 code = (divide_configuration & 3) | ((divide_configuration >> 1) & 4);
  const u32 divide = u32{1} << ((code + 1) & 7);
  if (divide == divide_) return;
  const u32 count = current_count();
  divide_ = divide;
  if (expiry_ == kNever || count == 0) return;
  expiry_ = timeline_.now() + u64{count} * divide_ * kNanosPerApicTick;
  arm();
}

void ApicTimer::set_initial_count(u32 count) {
  if (mode_ == ApicTimerMode::kTscDeadline) return;
  initial_ = count;
  if (count == 0 || mode_ == ApicTimerMode::kReserved) return stop();
  expiry_ = timeline_.now() + period();
  arm();
}

u32 ApicTimer::count_at(u64 now) const {
  if (expiry_ == kNever) return 0;
  const u64 tick = divide_ * kNanosPerApicTick;
  if (mode_ != ApicTimerMode::kPeriodic || period() == 0) {
    return now < expiry_ ? static_cast<u32>((expiry_ - now + tick - 1) / tick) : 0;
  }
  // The expiry of a stretched period may be several periods away, or passed already.
  const u64 left =
      now < expiry_ ? (expiry_ - now - 1) % period() + 1 : period() - (now - expiry_) % period();
  return static_cast<u32>((left + tick - 1) / tick);
}

u32 ApicTimer::current_count() const { return count_at(timeline_.now()); }

void ApicTimer::arm() {
  if (expiry_ == kNever) return timer_.cancel();
  const u64 now = timeline_.now();
  // The first expiry of a short periodic timer is stretched like the others.
  const bool too_soon = mode_ == ApicTimerMode::kPeriodic && expiry_ < now + kMinApicPeriodNanos &&
                        period() < kMinApicPeriodNanos;
  timer_.arm(too_soon ? now + kMinApicPeriodNanos : expiry_);
}

void ApicTimer::arm_deadline() {
  if (deadline_ == 0) return timer_.cancel();
  const u64 now = timeline_.now();
  const u64 tsc = tsc_ ? tsc_() : now * kTscTicksPerNano;
  const u64 ticks = deadline_ > tsc ? deadline_ - tsc : 0;
  const u64 nanos = ticks / kTscTicksPerNano + (ticks % kTscTicksPerNano != 0 ? 1 : 0);
  if (nanos >= kNever - now) return timer_.cancel();
  timer_.arm(now + nanos);
}

// A deadline that has passed fires at once (SDM 3A 11.5.4.1).
void ApicTimer::set_tsc_deadline(u64 deadline) {
  if (mode_ != ApicTimerMode::kTscDeadline) return;
  deadline_ = deadline;
  tsc_changed();
}

void ApicTimer::tsc_changed() {
  if (mode_ != ApicTimerMode::kTscDeadline) return;
  arm_deadline();
  if (timer_.armed() && timer_.at() <= timeline_.now()) {
    timer_.cancel();
    fire();
  }
}

void ApicTimer::fire() {
  const u64 now = timeline_.now();
  if (mode_ == ApicTimerMode::kTscDeadline) {
    const u64 tsc = tsc_ ? tsc_() : now * kTscTicksPerNano;
    if (tsc < deadline_) return arm_deadline();
    deadline_ = 0;
  } else if (mode_ == ApicTimerMode::kPeriodic && period() != 0) {
    u64 step = period();
    if (step < kMinApicPeriodNanos) step *= (kMinApicPeriodNanos + step - 1) / step;
    // Periods that were slept through are lost: IRR holds one interrupt of a vector.
    if (expiry_ <= now) expiry_ += step * ((now - expiry_) / step + 1);
    timer_.arm(expiry_);
  } else {
    expiry_ = kNever;
  }
  expired_();
}

}  // namespace softvt
