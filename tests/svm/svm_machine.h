// A processor with SVM in long mode, host tables and a guest in the same identity-mapped 4 MiB.
#pragma once
#include <cstring>
#include <initializer_list>
#include <vector>

#include "cpu/core/code_cache.h"
#include "cpu/core/tlb.h"
#include "cpu/cpu.h"
#include "cpu/cpuid/model.h"
#include "cpu/msr/msr_table.h"
#include "cpu/phys_memory.h"
#include "cpu/rows.h"
#include "cpu/timeline.h"
#include "svm/extension.h"
#include "svm/instructions.h"
#include "svm/intercepts.h"

namespace softvt::svm::test {

constexpr u64 kRam = 4 << 20;
constexpr u64 kHostTables = 0x10000;    // three pages
constexpr u64 kNestedTables = 0x20000;  // four pages: 4 KiB pages for the first 2 MiB
constexpr u64 kVmcb = 0x30000;
constexpr u64 kHostSave = 0x31000;
constexpr u64 kIopm = 0x32000;
constexpr u64 kMsrpm = 0x36000;
constexpr u64 kGdt = 0x40000;
constexpr u64 kIdt = 0x41000;
constexpr u64 kGuestCode = 0x50000;
constexpr u64 kHandlers = 0x51000;  // 16 bytes for each vector; each begins with VMMCALL
constexpr u64 kGuestStack = 0x60000;
constexpr u64 kGuestData = 0x70000;
constexpr u64 kHostCode = 0x80000;

constexpr u8 kVmmcallBytes[] = {0x0f, 0x01, 0xd9};

void build_instruction_set(InstructionSet& isa);

class SvmMachine {
 public:
  SvmMachine();

  void poke(u64 pa, u64 value, unsigned size = 8) { mem.write(pa, &value, size); }
  u64 peek64(u64 pa) {
    u64 value = 0;
    mem.read(pa, &value, 8);
    return value;
  }
  void code(std::initializer_list<u8> bytes) {
    const std::vector<u8> copy(bytes);
    mem.write(kGuestCode, copy.data(), copy.size());
  }
  Vmcb vmcb() { return Vmcb(mem.page(kVmcb)); }
  void intercept(std::string_view name);
  void nested_paging();
  u64 nested_entry(u64 gpa) { return kNestedTables + 0x3000 + (gpa >> 12) * 8; }

  // VMRUN and, where the guest is entered, up to the next #VMEXIT.
  ExitCode run(i64 budget = 1000);
  u64 exit_code() { return vmcb().get<Field::ExitCode>(); }
  u64 info1() { return vmcb().get<Field::ExitInfo1>(); }
  u64 info2() { return vmcb().get<Field::ExitInfo2>(); }
  u64 guest_rip() { return vmcb().get<Field::Rip>(); }

  PhysMemory mem;
  Timeline timeline;
  TlbPool tlbs;
  InstructionSet isa;
  MsrTable msrs;
  std::vector<JumpEntry> jumps;
  Cpu cpu;
  CodeCache code_cache{mem};
  SvmExtension svm;

 private:
  void build_tables();
  void build_host();
  void build_vmcb();
};

}  // namespace softvt::svm::test
