// Runs the vcpus of a machine one after the other in one thread: round robin, kQuantum instructions
// each, cut short by the next event of the timeline. Nothing of the host has a part in it, so the
// same machine always takes the same way.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cpu/timeline.h"
#include "machine/exit_cause.h"
#include "machine/vcpu.h"

namespace softvt {

constexpr u64 kNoLimit = ~u64{0};

struct RunLimits {
  u64 instructions = kNoLimit;  // of all vcpus together
  u64 nanos = kNoLimit;         // date of virtual time
};

// What the scheduler asks of the program around it.
class HostSide {
 public:
  virtual ~HostSide() = default;
  // Before each slice; here input is given to the console. True: end the run.
  virtual bool poll() = 0;
  // Nothing is left that could happen but input. Waits for some; false if none can come.
  virtual bool wait_for_input() = 0;
  // Every vcpu waits for that long. A program with a user in front of it may sleep meanwhile.
  virtual void pass_idle_time(u64 nanos) { (void)nanos; }
};

// Serves the exits that a vcpu cannot handle itself.
class ExitServer {
 public:
  virtual ~ExitServer() = default;
  // The answer to a read; 0 for a write.
  virtual u64 serve_io(const VcpuExit::Io& io) = 0;
  virtual u64 serve_mmio(const VcpuExit::Mmio& mmio) = 0;
};

class Scheduler {
 public:
  static constexpr i64 kQuantum = 20000;
  // With interrupts off everywhere only an NMI or the like could go on: that long it may take.
  static constexpr u64 kDeadAfterNanos = 10'000'000'000;

  Scheduler(Timeline& timeline, ExitServer& server);

  void add(Vcpu& vcpu) { vcpus_.push_back(&vcpu); }

  // Ends the run at the next instruction boundary. The first request counts.
  void request(MachineExit exit);

  // Until something ends the run. `host` may be null.
  MachineExit run(const RunLimits& limits, HostSide* host);

  u64 instructions() const;  // of all vcpus
  // True while every vcpu waits.
  bool idle() const { return idle_; }

 private:
  bool over_limit(const RunLimits& limits);
  Vcpu* next_ready();
  i64 budget(const RunLimits& limits) const;
  void run_slice(Vcpu& vcpu, const RunLimits& limits);
  void handle(Vcpu& vcpu, const VcpuExit& exit);
  void wait(const RunLimits& limits, HostSide* host);

  Timeline& timeline_;
  ExitServer& server_;
  std::vector<Vcpu*> vcpus_;
  size_t turn_ = 0;
  i64 quantum_left_ = kQuantum;
  Vcpu* running_ = nullptr;
  std::optional<MachineExit> requested_;
  u64 last_active_ = 0;  // date of the last instruction
  bool idle_ = false;
};

}  // namespace softvt
