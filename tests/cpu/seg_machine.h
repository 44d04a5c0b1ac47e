// A processor with RAM at 0 and descriptor tables, for the tests of cpu/seg/. Addresses are fixed:
// a GDT, an IDT, TSSs and stacks that the tests fill as they need.
#pragma once
#include <gtest/gtest.h>

#include <memory>

#include "cpu/core/tlb.h"
#include "cpu/cpu.h"
#include "cpu/phys_memory.h"
#include "cpu/seg/deliver.h"
#include "cpu/seg/descriptor.h"
#include "cpu/seg/insns.h"
#include "cpu/seg/load.h"

namespace softvt::test {

constexpr u64 kGdt = 0x1000, kIdt = 0x2000, kTss = 0x3000, kOtherTss = 0x3800;
constexpr u64 kPageTables = 0x10000;
constexpr u64 kStack0 = 0x8000, kStack3 = 0x9000, kIstStack = 0xa000;
constexpr u64 kCode = 0x5000, kHandler = 0x6000;

// Selectors of the GDT that build_gdt() makes.
constexpr u16 kCode0 = 0x08, kData0 = 0x10, kCode3 = 0x1b, kData3 = 0x23, kTssSelector = 0x28,
              kOtherTssSelector = 0x38, kConforming = 0x40, kAbsent = 0x48, kGate = 0x50,
              kCompat3 = 0x63, kReadOnly = 0x68, kTaskGate = 0x70;

constexpr u64 descriptor(u64 base, u64 limit, u64 rights) {
  return (limit & 0xffff) | (base & 0xffffff) << 16 | (rights & 0xf0ff) << 40 |
         (limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56;
}
constexpr u64 gate(u16 selector, u64 offset, u64 type_and_dpl, u64 extra = 0) {
  return (offset & 0xffff) | u64{selector} << 16 | extra << 32 | (type_and_dpl & 0xff) << 40 |
         (offset >> 16 & 0xffff) << 48;
}

struct SegMachine {
  SegMachine() : tlbs(std::make_unique<TlbPool>()) {
    mem.add_ram(0, 0x400000);
    cpu.mem = &mem;
    cpu.tlbs = tlbs.get();
    for (unsigned i = 1; i < kFeatureCount; ++i) cpu.features.set(static_cast<Feature>(i));
    cpu.gdtr = {kGdt, 0xff};
    cpu.idtr = {kIdt, 0xfff};
    cpu.r[RSP] = kStack0;
    for (unsigned i = 0; i < 6; ++i) {
      Segment s;
      s.limit = 0xffff;
      s.rights = 0x93;
      cpu.set_segment(static_cast<Seg>(i), s);
    }
  }

  void put64(u64 pa, u64 value) { ASSERT_TRUE(mem.write(pa, &value, 8)); }
  void put32(u64 pa, u32 value) { ASSERT_TRUE(mem.write(pa, &value, 4)); }
  void put16(u64 pa, u16 value) { ASSERT_TRUE(mem.write(pa, &value, 2)); }
  u64 get(u64 pa, unsigned size) {
    u64 value = 0;
    EXPECT_TRUE(mem.read(pa, &value, size));
    return value;
  }
  void entry(u16 selector, u64 raw) { put64(kGdt + (selector & 0xfff8), raw); }

  void build_gdt(u64 code_rights) {
    entry(kCode0, descriptor(0, 0xfffff, 0x8000 | code_rights | 0x9a));
    entry(kData0, descriptor(0, 0xfffff, 0xc092));
    entry(kCode3, descriptor(0, 0xfffff, 0x8000 | code_rights | 0xfa));
    entry(kData3, descriptor(0, 0xfffff, 0xc0f2));
    entry(kConforming, descriptor(0, 0xfffff, 0x8000 | code_rights | 0x9e));
    entry(kAbsent, descriptor(0, 0xfffff, 0xc012));
    entry(kCompat3, descriptor(0, 0xfffff, 0xc0fa));
    entry(kReadOnly, descriptor(0, 0xfffff, 0xc090));
  }

  void protected_mode(unsigned cpl) {
    build_gdt(0x4000);
    put64(kTss, 0);
    put32(kTss + 4, kStack0);
    put32(kTss + 8, kData0);
    put16(kTss + 0x66, 0x68);
    entry(kTssSelector, descriptor(kTss, 0x67 + 0x20, 0x8b));
    entry(kOtherTssSelector, descriptor(kOtherTss, 0x67, 0x89));
    cpu.cr0 |= cr0::PE;
    Segment tr;
    tr.selector = kTssSelector;
    tr.base = kTss;
    tr.limit = 0x67 + 0x20;
    tr.rights = 0x8b;
    cpu.set_segment(Seg::TR, tr);
    Segment ldt;
    ldt.rights = seg_rights::Unusable;
    cpu.set_segment(Seg::LDTR, ldt);
    set_level(cpl, false);
  }

  void long_mode(unsigned cpl) {
    build_gdt(0x2000);
    put64(kPageTables, (kPageTables + 0x1000) | 7);
    put64(kPageTables + 0x1000, (kPageTables + 0x2000) | 7);
    put64(kPageTables + 0x2000, 0x87);
    put64(kPageTables + 0x2008, 0x200087);
    // The same memory in the upper half.
    put64(kPageTables + 0xff8, (kPageTables + 0x1000) | 7);
    put64(kTss + 4, kStack0);
    put64(kTss + 0x24, kIstStack);
    cpu.cr3 = kPageTables;
    cpu.cr4 = cr4::PAE | cr4::FSGSBASE;
    cpu.efer = efer::LME | efer::LMA | efer::SCE;
    cpu.cr0 |= cr0::PE | cr0::PG;
    Segment tr;
    tr.selector = kTssSelector;
    tr.base = kTss;
    tr.limit = 0x67;
    tr.rights = 0x8b;
    cpu.set_segment(Seg::TR, tr);
    set_level(cpl, true);
  }

  void set_level(unsigned cpl, bool wide) {
    cpu.set_segment(Seg::CS, flat_code_segment(cpl ? kCode3 : kCode0, cpl, wide));
    for (const Seg s : {Seg::SS, Seg::DS, Seg::ES}) {
      cpu.set_segment(s, flat_stack_segment(cpl ? kData3 : kData0, cpl));
    }
    cpu.r[RSP] = cpl ? kStack3 : kStack0;
    cpu.update_mode();
    start(kCode, 2);
  }

  void start(u64 rip, unsigned length) {
    cpu.rip = rip;
    cpu.next_rip = rip + length;
  }

  void expect_fault(Step step, Vector vector, u32 error) {
    EXPECT_EQ(step, Step::Fault);
    EXPECT_TRUE(cpu.fault_pending);
    EXPECT_EQ(cpu.fault.vector, static_cast<u8>(vector));
    EXPECT_EQ(cpu.fault.error, error);
    cpu.fault_pending = false;
  }

  const Segment& seg(Seg which) const { return cpu.seg[static_cast<unsigned>(which)]; }
  u16 selector(Seg which) const { return seg(which).selector; }

  // Delivers what an instruction posted, as the run loop does.
  Delivered deliver_posted() {
    EXPECT_TRUE(cpu.fault_pending);
    cpu.fault_pending = false;
    return deliver_with_escalation(cpu, cpu.fault);
  }
  Delivered deliver_fault(Vector v, bool has_error = false, u32 error = 0) {
    Event e;
    e.vector = static_cast<u8>(v);
    e.has_error = has_error;
    e.error = error;
    return deliver_with_escalation(cpu, e);
  }

  PhysMemory mem;
  std::unique_ptr<TlbPool> tlbs;
  Cpu cpu;
};

// An instruction with its operand size; the tests set what else it needs.
inline Insn insn(unsigned opsize, Form form = Form::None, u8 opcode = 0) {
  Insn in{};
  in.opsize = static_cast<u8>(opsize);
  in.addrsize = static_cast<u8>(opsize);
  in.form = form;
  in.opcode = opcode;
  in.base = in.idx = slot::kZero * 8;
  in.seg = static_cast<u8>(Seg::DS);
  return in;
}
inline Insn far_insn(unsigned opsize, u16 selector, u64 offset) {
  Insn in = insn(opsize, Form::Far);
  in.imm = static_cast<i64>(offset);
  in.disp = selector;
  return in;
}
inline Insn load_insn(Seg which) {  // MOV Sreg, AX
  Insn in = insn(2, Form::RR, 0x8e);
  in.dst = static_cast<u8>(which);
  in.src = RAX * 8;
  return in;
}

}  // namespace softvt::test
