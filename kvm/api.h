// What the layer and its user space exchange: the shape of <linux/kvm.h>, with C++ types.
#pragma once
#include <array>
#include <string>

#include "cpu/cpu.h"
#include "cpu/types.h"

namespace softvt::kvm {

enum class Vendor : u8 { Vmx, Svm };

// Why run() came back; the numbers are those of KVM_EXIT_*.
enum class RunExit : u32 {
  Unknown = 0,
  Io = 2,
  Hypercall = 3,
  Hlt = 5,
  Mmio = 6,
  Shutdown = 8,
  FailEntry = 9,
  Intr = 10,  // the budget is used up, or somebody asked to stop
  InternalError = 17,
};

// After the pattern of struct kvm_run.
struct Run {
  RunExit exit_reason = RunExit::Unknown;
  struct Io {
    bool out = false;
    u8 size = 0;
    u16 port = 0;
    u32 data = 0;  // out: what the guest writes; in: complete() gives it
  } io;
  struct Mmio {
    u64 phys_addr = 0;
    u64 data = 0;
    u8 len = 0;
    bool is_write = false;
  } mmio;
  struct Hypercall {
    u64 nr = 0;
    std::array<u64, 6> args{};
    bool longmode = false;
  } hypercall;
  struct FailEntry {
    u64 hardware_entry_failure_reason = 0;
  } fail_entry;
  std::string detail;  // FailEntry, InternalError: what happened
};

// KVM_GET_REGS and KVM_GET_SREGS.
struct Registers {
  std::array<u64, 16> gpr{};  // by number: RAX RCX RDX RBX RSP RBP RSI RDI R8 ... R15
  u64 rip = 0, rflags = 2;
};
struct SystemRegisters {
  std::array<Segment, 8> segments{};  // by Seg
  DescriptorTable gdt, idt;
  u64 cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, efer = 0;
};

struct MemorySlot {
  u64 guest_phys_addr = 0;
  u64 size = 0;
  u64 host_phys_addr = 0;
  bool read_only = false;
};

enum class RunState : u8 { Runnable, Halted, WaitForSipi };

}  // namespace softvt::kvm
