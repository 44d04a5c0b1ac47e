// Loads of segment registers and the instructions around them.
#include "tests/cpu/seg_machine.h"

namespace softvt::test {
namespace {

Step load(SegMachine& m, Seg which, u16 selector) {
  m.cpu.r[RAX] = selector;
  return mov_to_sreg(m.cpu, load_insn(which));
}

TEST(SegLoad, RealModeKeepsTheLimit) {
  SegMachine m;
  Segment big = m.cpu.seg[3];
  big.limit = 0xffffffff;
  m.cpu.set_segment(Seg::DS, big);
  EXPECT_EQ(load(m, Seg::DS, 0x1234), Step::EndBlock);
  EXPECT_EQ(m.seg(Seg::DS).base, 0x12340u);
  EXPECT_EQ(m.seg(Seg::DS).limit, 0xffffffffu);
}

TEST(SegLoad, DataSegmentChecks) {
  SegMachine m;
  m.protected_mode(3);
  m.expect_fault(load(m, Seg::DS, kData0), Vector::GP, kData0);
  m.expect_fault(load(m, Seg::DS, 0xf8 + 8), Vector::GP, 0x100);
  m.expect_fault(load(m, Seg::DS, kTssSelector), Vector::GP, kTssSelector);
  EXPECT_EQ(load(m, Seg::DS, kConforming), Step::EndBlock);
  EXPECT_EQ(load(m, Seg::ES, kData3), Step::EndBlock);
  EXPECT_EQ(load(m, Seg::FS, 3), Step::EndBlock);
  EXPECT_TRUE(m.seg(Seg::FS).unusable());
  EXPECT_EQ(m.selector(Seg::FS), 3);
}

TEST(SegLoad, AbsentDataSegment) {
  SegMachine m;
  m.protected_mode(0);
  m.expect_fault(load(m, Seg::DS, kAbsent), Vector::NP, kAbsent);
  m.expect_fault(load(m, Seg::SS, kAbsent), Vector::SS, kAbsent);
}

TEST(SegLoad, StackSegmentChecks) {
  SegMachine m;
  m.protected_mode(0);
  m.expect_fault(load(m, Seg::SS, 0), Vector::GP, 0);
  m.expect_fault(load(m, Seg::SS, kData3), Vector::GP, kData3 & ~3);
  m.expect_fault(load(m, Seg::SS, kReadOnly), Vector::GP, kReadOnly);
  m.expect_fault(load(m, Seg::SS, kCode0), Vector::GP, kCode0);
  EXPECT_EQ(load(m, Seg::SS, kData0), Step::EndBlock);
  EXPECT_EQ(m.cpu.shadow, Shadow::MovSs);
}

TEST(SegLoad, NullStackSegmentIn64BitMode) {
  SegMachine m;
  m.long_mode(0);
  EXPECT_EQ(load(m, Seg::SS, 0), Step::EndBlock);
  EXPECT_TRUE(m.seg(Seg::SS).unusable());
  EXPECT_EQ(m.cpu.cpl(), 0u);
  m.set_level(3, true);
  m.expect_fault(load(m, Seg::SS, 3), Vector::GP, 0);
}

TEST(SegLoad, NullFsClearsTheBaseOnIntelOnly) {
  SegMachine m;
  m.long_mode(3);
  m.cpu.set_segment_base(Seg::FS, 0x7000);
  m.cpu.intel = false;
  EXPECT_EQ(load(m, Seg::FS, 0), Step::EndBlock);
  EXPECT_EQ(m.seg(Seg::FS).base, 0x7000u);
  m.cpu.intel = true;
  EXPECT_EQ(load(m, Seg::FS, 0), Step::EndBlock);
  EXPECT_EQ(m.seg(Seg::FS).base, 0u);
}

TEST(SegLoad, PopRestoresRspOnFault) {
  SegMachine m;
  m.protected_mode(0);
  m.put32(kStack0 - 4, kAbsent);
  m.cpu.r[RSP] = kStack0 - 4;
  Insn in = insn(4, Form::R, 0x1f);
  in.dst = static_cast<u8>(Seg::DS);
  m.expect_fault(pop_sreg(m.cpu, in), Vector::NP, kAbsent);
  EXPECT_EQ(m.cpu.r[RSP], kStack0 - 4);
  m.put32(kStack0 - 4, kData0);
  EXPECT_EQ(pop_sreg(m.cpu, in), Step::EndBlock);
  EXPECT_EQ(m.cpu.r[RSP], kStack0);
}

TEST(SegLoad, PushWritesTwoBytesOnIntel) {
  SegMachine m;
  m.protected_mode(0);
  m.put32(kStack0 - 4, 0xffffffff);
  Insn in = insn(4, Form::R, 0x1e);
  in.dst = static_cast<u8>(Seg::DS);
  EXPECT_EQ(push_sreg(m.cpu, in), Step::Next);
  EXPECT_EQ(m.get(kStack0 - 4, 4), 0xffff0000u | kData0);
}

TEST(SegLoad, TaskRegister) {
  SegMachine m;
  m.protected_mode(0);
  Insn in = insn(2, Form::R);
  in.dst = RAX * 8;
  m.cpu.r[RAX] = kTssSelector;
  m.expect_fault(ltr(m.cpu, in), Vector::GP, kTssSelector);  // busy
  m.cpu.r[RAX] = kOtherTssSelector;
  EXPECT_EQ(ltr(m.cpu, in), Step::Next);
  EXPECT_EQ(m.get(kGdt + kOtherTssSelector + 5, 1), 0x8bu);
  EXPECT_EQ(m.seg(Seg::TR).rights, 0x8bu);
  EXPECT_EQ(m.seg(Seg::TR).base, kOtherTss);
}

TEST(SegLoad, LarLslVerrVerw) {
  SegMachine m;
  m.protected_mode(3);
  Insn in = insn(4, Form::RR);
  in.dst = RBX * 8;
  in.src = RAX * 8;
  m.cpu.r[RAX] = kData3;
  EXPECT_EQ(lar(m.cpu, in), Step::Next);
  EXPECT_TRUE(m.cpu.flags() & rflags::ZF);
  EXPECT_EQ(m.cpu.r[RBX], 0xcff200u);
  EXPECT_EQ(lsl(m.cpu, in), Step::Next);
  EXPECT_EQ(m.cpu.r[RBX], 0xffffffffu);
  m.cpu.r[RAX] = kData0;
  EXPECT_EQ(lar(m.cpu, in), Step::Next);
  EXPECT_FALSE(m.cpu.flags() & rflags::ZF);
  Insn verify = insn(2, Form::R);
  verify.dst = RAX * 8;
  m.cpu.r[RAX] = kCode3;
  verr(m.cpu, verify);
  EXPECT_TRUE(m.cpu.flags() & rflags::ZF);
  verw(m.cpu, verify);
  EXPECT_FALSE(m.cpu.flags() & rflags::ZF);
}

TEST(SegLoad, Arpl) {
  SegMachine m;
  m.protected_mode(0);
  Insn in = insn(2, Form::RR);
  in.dst = RBX * 8;
  in.src = RAX * 8;
  m.cpu.r[RAX] = 3;
  m.cpu.r[RBX] = 0x11;
  arpl(m.cpu, in);
  EXPECT_EQ(m.cpu.r[RBX], 0x13u);
  EXPECT_TRUE(m.cpu.flags() & rflags::ZF);
  arpl(m.cpu, in);
  EXPECT_FALSE(m.cpu.flags() & rflags::ZF);
}

TEST(SegLoad, GdtAndIdtRegisters) {
  SegMachine m;
  m.long_mode(0);
  Insn in = insn(8, Form::M);
  in.disp = 0x4000;
  m.put16(0x4000, 0x7f);
  m.put64(0x4002, 0xffff800000001000);
  EXPECT_EQ(lgdt(m.cpu, in), Step::Next);
  EXPECT_EQ(m.cpu.gdtr.limit, 0x7f);
  EXPECT_EQ(m.cpu.gdtr.base, 0xffff800000001000u);
  m.put64(0x4002, 0x8000000000001000);
  m.expect_fault(lidt(m.cpu, in), Vector::GP, 0);
  EXPECT_EQ(sgdt(m.cpu, in), Step::Next);
  EXPECT_EQ(m.get(0x4002, 8), 0xffff800000001000u);
  m.set_level(3, true);
  m.expect_fault(lgdt(m.cpu, in), Vector::GP, 0);
  m.cpu.cr4 |= cr4::UMIP;
  m.expect_fault(sgdt(m.cpu, in), Vector::GP, 0);
}

TEST(SegLoad, BasesAndSwapgs) {
  SegMachine m;
  m.long_mode(0);
  Insn in = insn(8, Form::R);
  in.dst = RAX * 8;
  m.cpu.r[RAX] = 0x1234;
  EXPECT_EQ(wrgsbase(m.cpu, in), Step::Next);
  m.cpu.msr.kernel_gs_base = 0x9999;
  EXPECT_EQ(swapgs(m.cpu, in), Step::Next);
  EXPECT_EQ(m.seg(Seg::GS).base, 0x9999u);
  EXPECT_EQ(m.cpu.r[slot::kSegBase + 5], 0x9999u);
  EXPECT_EQ(m.cpu.msr.kernel_gs_base, 0x1234u);
  m.cpu.r[RAX] = 0x8000000000000000;
  in.prefixes = prefix::kRexW;
  m.expect_fault(wrgsbase(m.cpu, in), Vector::GP, 0);
  m.cpu.cr4 &= ~cr4::FSGSBASE;
  m.expect_fault(rdfsbase(m.cpu, in), Vector::UD, 0);
}

}  // namespace
}  // namespace softvt::test
