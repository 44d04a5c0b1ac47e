// What the board knows of a vcpu. `run` goes on until something must be done outside, in the manner
// of KVM_RUN; behind it is the processor of cpu/, the KVM-like layer or the host's KVM.
#pragma once
#include <array>
#include <string>

#include "cpu/types.h"
#include "loader/boot_state.h"

namespace softvt {

enum class ExitReason : u8 {
  Budget,       // the instructions of the slice are used up, or request_stop()
  Halt,         // waits for an event
  Shutdown,     // triple fault
  WaitForSipi,  // waits to be started by another vcpu
  Io,
  Mmio,
  Hypercall,
  FailEntry,      // `detail` tells which check failed
  InternalError,  // `detail`
};

struct VcpuExit {
  ExitReason reason = ExitReason::Budget;
  struct Io {
    u16 port = 0;
    u8 size = 0;
    bool write = false;
    u32 value = 0;
  } io;
  struct Mmio {
    u64 address = 0;
    u8 size = 0;
    bool write = false;
    u64 value = 0;
  } mmio;
  struct Hypercall {
    u64 number = 0;
    std::array<u64, 6> arguments{};
  } hypercall;
  std::string detail;
};

// For reports.
struct VcpuRegisters {
  std::array<u64, 16> general{};  // by number: RAX RCX RDX RBX RSP RBP RSI RDI R8 ... R15
  u64 rip = 0, rflags = 0;
  u64 cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, efer = 0;
  u16 cs = 0, ss = 0;
};

class Vcpu {
 public:
  virtual ~Vcpu() = default;

  // Executes at least one and about `budget` instructions, advances the timeline by them, and says
  // why it came back.
  virtual VcpuExit run(i64 budget) = 0;
  // The answer to an Io or Mmio read, or the result of a Hypercall; before the next run().
  virtual void complete(u64 value) = 0;

  virtual void power_on_reset() = 0;
  // Only for the bootstrap vcpu, after power_on_reset(): starts without firmware.
  virtual void set_boot_state(const BootState& boot) = 0;

  // False: it waits, and no event that would end that has come.
  virtual bool ready() const = 0;
  // It waits, and a maskable interrupt would end that.
  virtual bool wakes_on_interrupt() const = 0;

  // From within run(): come back at the next instruction boundary.
  virtual void request_stop() = 0;
  // The INTR output of the 8259 pair, which is wired to LINT0.
  virtual void set_intr(bool level) = 0;

  virtual u64 instructions() const = 0;  // retired since power-on of the machine
  virtual VcpuRegisters registers() const = 0;
};

}  // namespace softvt
