// The processor that the FPU tests run on: flat 32-bit segments, no paging, RAM at 0.
#pragma once
#include <memory>

#include "cpu/core/tlb.h"
#include "cpu/cpu.h"
#include "cpu/phys_memory.h"

namespace softvt::test {

constexpr u64 kTestRam = 0x10000;
constexpr u64 kOperand = 0x2000;

struct FpuMachine {
  FpuMachine() {
    mem.add_ram(0, kTestRam);
    cpu.mem = &mem;
    cpu.tlbs = &tlbs;
    cpu.cr0 |= cr0::PE | cr0::NE;
    for (unsigned i = 0; i < 6; ++i) cpu.seg[i] = flat(i == static_cast<unsigned>(Seg::CS));
    for (unsigned i = 0; i < static_cast<unsigned>(Feature::Count); ++i) {
      cpu.features.set(static_cast<Feature>(i));
    }
    cpu.update_mode();
  }

  static Segment flat(bool code) {
    Segment s;
    s.selector = code ? 0x08 : 0x10;
    s.limit = 0xffffffff;
    s.rights = seg_rights::P | seg_rights::S | seg_rights::DB | seg_rights::G |
               seg_rights::Writable | seg_rights::Accessed | (code ? seg_rights::Code : 0);
    return s;
  }

  PhysMemory mem;
  TlbPool tlbs;
  Cpu cpu;
};

}  // namespace softvt::test
