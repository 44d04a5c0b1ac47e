// The processor that the hypervisor owns, and what privileged software does with it besides VMX and
// SVM: its own control registers and segments, RDMSR, WRMSR, CPUID, an interrupt to itself.
#pragma once
#include <vector>

#include "cpu/core/tlb.h"
#include "cpu/cpu.h"
#include "cpu/cpuid/cpuid.h"
#include "kvm/host_memory.h"

namespace softvt {
class CpuModel;
}

namespace softvt::kvm {

// The tables that all emulated processors share (machine/processor_parts.h has them).
struct ProcessorTables {
  const InstructionSet& instructions;
  const MsrTable& msrs;
};

// Where the layer's software says that its code and its descriptor tables are. No code is there:
// the layer itself is C++. VM entries check the values as those of any hypervisor.
struct HostState {
  u64 cr0 = 0, cr3 = 0, cr4 = 0, efer = 0;
  u16 cs = 0x08, data = 0x10, tr = 0x18;
  u64 tr_base = 0, gdt_base = 0, idt_base = 0;
  u64 rsp = 0, rip = 0;
};

class HostProcessor {
 public:
  HostProcessor(HostMemory& memory, const ProcessorTables& tables, const CpuModel& model,
                Timeline& timeline, u32 index, u32 count);
  HostProcessor(const HostProcessor&) = delete;
  HostProcessor& operator=(const HostProcessor&) = delete;

  // Brings the processor into 64-bit mode, as the hypervisor's start-up code would.
  bool boot();
  const HostState& state() const { return state_; }
  void set_cr4(u64 value);

  Cpu& cpu() { return cpu_; }
  const Cpu& cpu() const { return cpu_; }
  HostMemory& memory() { return memory_; }

  bool rdmsr(u32 index, u64& value);
  bool wrmsr(u32 index, u64 value);
  CpuidResult cpuid(u32 leaf, u32 subleaf) const { return softvt::cpuid(cpu_, leaf, subleaf); }
  // RDTSC and time in host mode. The layer's code runs between slices, and while the guest waits
  // only the timeline moves on.
  u64 rdtsc() const;
  u64 nanos() const;

  // A physical interrupt to this processor, which ends the guest's run with a VM exit.
  void kick();
  void acknowledge_kick() { bus_.kicked = false; }

  // Guest instructions, until the VM exit or until the budget is used up.
  RunStop run_guest(i64 budget);

 private:
  // The guest's I/O never gets here: every port is intercepted.
  struct KickBus : Bus {
    static constexpr u8 kKickVector = 0xf0;
    u32 port_in(u16, unsigned size) override { return static_cast<u32>(size_mask(size)); }
    void port_out(u16, u32, unsigned) override {}
    bool extint_pending() override { return kicked; }
    u8 extint_acknowledge() override { return kKickVector; }
    bool kicked = false;
  };

  HostMemory& memory_;
  Cpu cpu_;
  TlbPool tlbs_;
  std::vector<JumpEntry> jumps_;
  KickBus bus_;
  HostState state_;
};

}  // namespace softvt::kvm
