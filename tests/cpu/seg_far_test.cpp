// Near and far transfers, call gates, IRET.
#include "tests/cpu/seg_machine.h"

namespace softvt::test {
namespace {

TEST(Near, DirectBranchIsTruncatedToTheOperandSize) {
  SegMachine m;
  m.start(0xfff0, 2);
  Insn in = insn(2, Form::I, 0xeb);
  in.imm = 0x20;
  EXPECT_EQ(near_jump(m.cpu, in), Step::Branch);
  EXPECT_EQ(m.cpu.rip, 0x12u);
}

TEST(Near, TargetBeyondTheLimit) {
  SegMachine m;
  m.start(0xfff0, 2);
  Insn in = insn(4, Form::I, 0xe9);
  in.imm = 0x20;
  m.expect_fault(near_jump(m.cpu, in), Vector::GP, 0);
  EXPECT_EQ(m.cpu.rip, 0xfff0u);
}

TEST(Near, ReturnToNonCanonicalKeepsRsp) {
  SegMachine m;
  m.long_mode(3);
  m.put64(kStack3, 0x0000800000000000);
  m.expect_fault(near_return(m.cpu, insn(8, Form::None, 0xc3)), Vector::GP, 0);
  EXPECT_EQ(m.cpu.r[RSP], kStack3);
}

TEST(Near, CallAndReturnWithRelease) {
  SegMachine m;
  m.protected_mode(0);
  Insn call = insn(4, Form::I, 0xe8);
  call.imm = 0x100;
  EXPECT_EQ(near_call(m.cpu, call), Step::Branch);
  EXPECT_EQ(m.cpu.rip, kCode + 0x102);
  Insn ret = insn(4, Form::I, 0xc2);
  ret.imm = 8;
  EXPECT_EQ(near_return(m.cpu, ret), Step::Branch);
  EXPECT_EQ(m.cpu.rip, kCode + 2);
  EXPECT_EQ(m.cpu.r[RSP], kStack0 + 8);
}

TEST(Near, ConditionsAndLoops) {
  SegMachine m;
  m.protected_mode(0);
  Insn jz = insn(4, Form::I, 0x84);
  jz.imm = 0x10;
  EXPECT_EQ(jump_if(m.cpu, jz), Step::Next);
  m.cpu.set_arithmetic_flags(rflags::ZF);
  EXPECT_EQ(jump_if(m.cpu, jz), Step::Branch);
  m.start(kCode, 2);
  Insn in = insn(4, Form::I, 0xe2);
  in.imm = -2;
  m.cpu.r[RCX] = 2;
  EXPECT_EQ(loop(m.cpu, in), Step::Branch);
  EXPECT_EQ(m.cpu.rip, kCode);
  m.start(kCode, 2);
  EXPECT_EQ(loop(m.cpu, in), Step::Next);
  EXPECT_EQ(m.cpu.r[RCX], 0u);
  in.addrsize = 2;
  m.cpu.r[RCX] = 0x10000;
  EXPECT_EQ(jump_if_counter_zero(m.cpu, in), Step::Branch);
  EXPECT_EQ(loop(m.cpu, in), Step::Branch);
  EXPECT_EQ(m.cpu.r[RCX], 0x1ffffu);
}

TEST(Far, RealModeCallReturn) {
  SegMachine m;
  m.start(0x5000, 5);
  EXPECT_EQ(far_call(m.cpu, far_insn(2, 0x600, 0x10)), Step::Branch);
  EXPECT_EQ(m.seg(Seg::CS).base, 0x6000u);
  EXPECT_EQ(m.cpu.rip, 0x10u);
  EXPECT_EQ(m.cpu.r[RSP], kStack0 - 4);
  EXPECT_EQ(far_return(m.cpu, insn(2, Form::None, 0xcb)), Step::Branch);
  EXPECT_EQ(m.cpu.rip, 0x5005u);
  EXPECT_EQ(m.selector(Seg::CS), 0);
}

TEST(Far, JumpChecks) {
  SegMachine m;
  m.protected_mode(3);
  m.expect_fault(far_jump(m.cpu, far_insn(4, 0, kCode)), Vector::GP, 0);
  m.expect_fault(far_jump(m.cpu, far_insn(4, kCode0, kCode)), Vector::GP, kCode0);
  m.expect_fault(far_jump(m.cpu, far_insn(4, kData3, kCode)), Vector::GP, kData3 & ~3);
  EXPECT_EQ(far_jump(m.cpu, far_insn(4, kConforming, 0x7000)), Step::Branch);
  EXPECT_EQ(m.selector(Seg::CS), kConforming | 3);
  EXPECT_EQ(m.cpu.cpl(), 3u);
  EXPECT_EQ(m.cpu.rip, 0x7000u);
}

TEST(Far, CallGateWithParametersAndReturn) {
  SegMachine m;
  m.protected_mode(3);
  m.entry(kGate, gate(kCode0, kHandler, 0xec, 2));
  m.put32(kStack3, 0x11111111);
  m.put32(kStack3 + 4, 0x22222222);
  m.start(kCode, 7);
  ASSERT_EQ(far_call(m.cpu, far_insn(4, kGate | 3, 0xbad)), Step::Branch);
  EXPECT_EQ(m.cpu.cpl(), 0u);
  EXPECT_EQ(m.cpu.rip, kHandler);
  EXPECT_EQ(m.selector(Seg::CS), kCode0);
  EXPECT_EQ(m.selector(Seg::SS), kData0);
  ASSERT_EQ(m.cpu.r[RSP], kStack0 - 24);
  EXPECT_EQ(m.get(kStack0 - 4, 4), kData3);
  EXPECT_EQ(m.get(kStack0 - 8, 4), kStack3);
  EXPECT_EQ(m.get(kStack0 - 12, 4), 0x22222222u);
  EXPECT_EQ(m.get(kStack0 - 16, 4), 0x11111111u);
  EXPECT_EQ(m.get(kStack0 - 20, 4), kCode3);
  EXPECT_EQ(m.get(kStack0 - 24, 4), kCode + 7);

  ASSERT_TRUE(load_segment(m.cpu, Seg::DS, kData0));
  Insn ret = insn(4, Form::I, 0xca);
  ret.imm = 8;
  ASSERT_EQ(far_return(m.cpu, ret), Step::Branch);
  EXPECT_EQ(m.cpu.cpl(), 3u);
  EXPECT_EQ(m.cpu.rip, kCode + 7);
  EXPECT_EQ(m.cpu.r[RSP], kStack3 + 8);
  EXPECT_TRUE(m.seg(Seg::DS).unusable()) << "DPL 0 data is dropped";
  EXPECT_EQ(m.selector(Seg::ES), kData3);
}

TEST(Far, GateChecks) {
  SegMachine m;
  m.protected_mode(3);
  m.entry(kGate, gate(kCode0, kHandler, 0x8c));
  m.expect_fault(far_call(m.cpu, far_insn(4, kGate, 0)), Vector::GP, kGate);
  m.entry(kGate, gate(kCode0, kHandler, 0x6c));
  m.expect_fault(far_call(m.cpu, far_insn(4, kGate, 0)), Vector::NP, kGate);
  m.entry(kGate, gate(kCode0, kHandler, 0xec));
  m.expect_fault(far_jump(m.cpu, far_insn(4, kGate, 0)), Vector::GP, kCode0);
  m.put32(kTss + 8, kData3);
  m.expect_fault(far_call(m.cpu, far_insn(4, kGate, 0)), Vector::TS, kData3 & ~3);
  EXPECT_EQ(m.cpu.r[RSP], kStack3);
}

TEST(Far, LongModeGate) {
  SegMachine m;
  m.long_mode(3);
  m.entry(kGate, gate(kCode0, kHandler, 0xec));
  m.put64(kGdt + kGate + 8, 0xffffff80);
  ASSERT_EQ(far_call(m.cpu, far_insn(4, kGate, 0)), Step::Branch);
  EXPECT_EQ(m.cpu.rip, 0xffffff8000000000 | kHandler);
  EXPECT_EQ(m.cpu.cpl(), 0u);
  EXPECT_TRUE(m.seg(Seg::SS).unusable());
  EXPECT_EQ(m.cpu.r[RSP], kStack0 - 32);
  ASSERT_EQ(far_return(m.cpu, insn(8, Form::None, 0xcb)), Step::Branch);
  EXPECT_EQ(m.cpu.cpl(), 3u);
  EXPECT_EQ(m.cpu.r[RSP], kStack3);
}

TEST(Far, CompatibilityModeAndBack) {
  SegMachine m;
  m.long_mode(3);
  ASSERT_EQ(far_jump(m.cpu, far_insn(4, kCompat3, 0x7000)), Step::Branch);
  EXPECT_FALSE(m.cpu.code64());
  ASSERT_EQ(far_jump(m.cpu, far_insn(4, kCode3, 0x7000)), Step::Branch);
  EXPECT_TRUE(m.cpu.code64());
}

TEST(Iret, LongModeToCompatibilityMode) {
  SegMachine m;
  m.long_mode(0);
  const u64 frame[] = {0x7000, kCompat3, 0x202, 0x7700, kData3};
  ASSERT_TRUE(m.mem.write(kStack0, frame, sizeof frame));
  m.cpu.nmi_blocked = true;
  ASSERT_EQ(iret(m.cpu, insn(8)), Step::Branch);
  EXPECT_FALSE(m.cpu.code64());
  EXPECT_EQ(m.cpu.cpl(), 3u);
  EXPECT_EQ(m.cpu.r[RSP], 0x7700u);
  EXPECT_FALSE(m.cpu.nmi_blocked);
  EXPECT_TRUE(m.cpu.flags() & rflags::IF);
}

TEST(Iret, SameLevelIn64BitModeLoadsNullStackSegment) {
  SegMachine m;
  m.long_mode(0);
  const u64 frame[] = {0x7000, kCode0, 0x2, 0x7700, 0};
  ASSERT_TRUE(m.mem.write(kStack0, frame, sizeof frame));
  ASSERT_EQ(iret(m.cpu, insn(8)), Step::Branch);
  EXPECT_EQ(m.cpu.r[RSP], 0x7700u);
  EXPECT_TRUE(m.seg(Seg::SS).unusable());
}

TEST(Iret, UserMayNotChangeIopl) {
  SegMachine m;
  m.protected_mode(3);
  const u32 frame[] = {0x7000, kCode3, 0x3302};
  ASSERT_TRUE(m.mem.write(kStack3, frame, sizeof frame));
  ASSERT_EQ(iret(m.cpu, insn(4)), Step::Branch);
  EXPECT_EQ(m.cpu.flags() & (rflags::IOPL | rflags::IF), 0u);
  EXPECT_TRUE(m.cpu.flags() & rflags::TF);
}

TEST(Iret, Virtual8086AndItsFaults) {
  SegMachine m;
  m.protected_mode(0);
  const u32 frame[] = {0x20, 0x700, rflags::VM | 0x202, 0x300, 0x900, 1, 2, 3, 4};
  ASSERT_TRUE(m.mem.write(kStack0 - 0x100, frame, sizeof frame));
  m.cpu.r[RSP] = kStack0 - 0x100;
  ASSERT_EQ(iret(m.cpu, insn(4)), Step::Branch);
  EXPECT_TRUE(m.cpu.v86());
  EXPECT_EQ(m.cpu.cpl(), 3u);
  EXPECT_EQ(m.seg(Seg::CS).base, 0x7000u);
  EXPECT_EQ(m.seg(Seg::CS).rights, 0xf3u);
  EXPECT_EQ(m.seg(Seg::SS).base, 0x9000u);
  EXPECT_EQ(m.cpu.r[RSP], 0x300u);
  EXPECT_EQ(m.selector(Seg::GS), 4);

  // INT n with IOPL 0 faults; the fault leaves virtual-8086 mode for CPL 0.
  m.start(0x20, 2);
  Insn in = insn(2, Form::I, 0xcd);
  in.imm = 0x21;
  m.put64(kIdt + 13 * 8, gate(kCode0, kHandler, 0x8e));
  ASSERT_EQ(int_n(m.cpu, in), Step::Fault);
  ASSERT_EQ(m.cpu.fault.vector, 13);
  ASSERT_EQ(m.deliver_posted(), Delivered::Ok);
  EXPECT_FALSE(m.cpu.v86());
  EXPECT_EQ(m.cpu.cpl(), 0u);
  EXPECT_EQ(m.cpu.rip, kHandler);
  ASSERT_EQ(m.cpu.r[RSP], kStack0 - 40);
  EXPECT_EQ(m.get(kStack0 - 4, 4), 4u);       // GS
  EXPECT_EQ(m.get(kStack0 - 20, 4), 0x900u);  // SS
  EXPECT_EQ(m.get(kStack0 - 24, 4), 0x300u);  // ESP
  EXPECT_EQ(m.get(kStack0 - 32, 4), 0x700u);  // CS
  EXPECT_EQ(m.get(kStack0 - 36, 4), 0x20u);   // EIP of the INT
  EXPECT_TRUE(m.get(kStack0 - 28, 4) & rflags::VM);
  EXPECT_TRUE(m.seg(Seg::DS).unusable());
}

TEST(Iret, VmeRedirectsIntAndVirtualisesIf) {
  SegMachine m;
  m.protected_mode(0);
  const u32 frame[] = {0x20, 0x700, rflags::VM | rflags::VIF | 0x2, 0x300, 0x900, 0, 0, 0, 0};
  ASSERT_TRUE(m.mem.write(kStack0 - 0x100, frame, sizeof frame));
  m.cpu.r[RSP] = kStack0 - 0x100;
  ASSERT_EQ(iret(m.cpu, insn(4)), Step::Branch);
  m.cpu.cr4 |= cr4::VME;
  m.put16(kTss + 0x66, 0x88);  // the bitmap lies at 0x68; all bits are 0
  m.put32(0x21 * 4, 0x06000010);
  m.start(0x20, 2);
  Insn in = insn(2, Form::I, 0xcd);
  in.imm = 0x21;
  ASSERT_EQ(int_n(m.cpu, in), Step::Fault);
  ASSERT_EQ(m.deliver_posted(), Delivered::Ok);
  EXPECT_TRUE(m.cpu.v86());
  EXPECT_EQ(m.seg(Seg::CS).base, 0x6000u);
  EXPECT_EQ(m.cpu.rip, 0x10u);
  EXPECT_FALSE(m.cpu.flags() & rflags::VIF);
  EXPECT_EQ(m.cpu.r[RSP], 0x300u - 6);
  EXPECT_EQ(m.get(0x9000 + 0x300 - 2, 2), 0x3202u);
  ASSERT_EQ(iret(m.cpu, insn(2)), Step::Branch);
  EXPECT_EQ(m.cpu.rip, 0x22u);
  EXPECT_TRUE(m.cpu.flags() & rflags::VIF);
  EXPECT_FALSE(m.cpu.flags() & (rflags::IF | rflags::IOPL));
  m.put64(kTss + 0x68, ~u64{0});
  m.start(0x20, 2);
  in.imm = 0x05;
  m.expect_fault(int_n(m.cpu, in), Vector::GP, 0);
}

TEST(FastSyscall, SyscallAndSysret) {
  SegMachine m;
  m.long_mode(3);
  m.cpu.msr.star = u64{0x13} << 48 | u64{kCode0} << 32;
  m.cpu.msr.lstar = 0xffffff8000006000;
  m.cpu.msr.sfmask = rflags::IF;
  m.cpu.set_flags(rflags::IF | rflags::Fixed1);
  m.start(kCode, 2);
  ASSERT_EQ(syscall(m.cpu, insn(4)), Step::Branch);
  EXPECT_EQ(m.cpu.cpl(), 0u);
  EXPECT_EQ(m.cpu.rip, 0xffffff8000006000);
  EXPECT_EQ(m.cpu.r[RCX], kCode + 2);
  EXPECT_EQ(m.cpu.r[R11], 0x202u);
  EXPECT_EQ(m.cpu.flags(), 0x2u);
  ASSERT_EQ(sysret(m.cpu, insn(8)), Step::Branch);
  EXPECT_EQ(m.cpu.cpl(), 3u);
  EXPECT_EQ(m.selector(Seg::CS), 0x23);
  EXPECT_EQ(m.selector(Seg::SS), 0x1b);
  EXPECT_EQ(m.cpu.rip, kCode + 2);
  EXPECT_EQ(m.cpu.flags(), 0x202u);
  m.set_level(0, true);
  m.cpu.r[RCX] = 0x0000800000000000;
  m.expect_fault(sysret(m.cpu, insn(8)), Vector::GP, 0);
  m.cpu.intel = false;
  EXPECT_EQ(sysret(m.cpu, insn(8)), Step::Branch);
}

TEST(FastSyscall, SysenterByVendor) {
  SegMachine m;
  m.long_mode(3);
  m.expect_fault(sysenter(m.cpu, insn(4)), Vector::GP, 0);
  m.cpu.msr.sysenter_cs = kCode0;
  m.cpu.msr.sysenter_eip = 0xffffff8000006000;
  m.cpu.msr.sysenter_esp = kStack0;
  ASSERT_EQ(sysenter(m.cpu, insn(4)), Step::Branch);
  EXPECT_EQ(m.cpu.cpl(), 0u);
  EXPECT_TRUE(m.cpu.code64());
  m.cpu.r[RCX] = kStack3;
  m.cpu.r[RDX] = kCode;
  ASSERT_EQ(sysexit(m.cpu, insn(4)), Step::Branch);
  EXPECT_EQ(m.cpu.cpl(), 3u);
  EXPECT_FALSE(m.cpu.code64());
  EXPECT_EQ(m.selector(Seg::CS), kCode0 + 16 + 3);
  m.cpu.intel = false;
  m.expect_fault(sysenter(m.cpu, insn(4)), Vector::UD, 0);
}

TEST(Iret, ToAnOuterLevelKeepsTheBasesOfTheSegmentsItDrops) {
  SegMachine m;
  m.long_mode(0);
  Segment gs = flat_stack_segment(kData0, 0);
  gs.base = 0x12345000;
  m.cpu.set_segment(Seg::GS, gs);
  const u64 frame[] = {0x7000, kCode3, 0x202, 0x7700, kData3};
  ASSERT_TRUE(m.mem.write(kStack0, frame, sizeof frame));
  ASSERT_EQ(iret(m.cpu, insn(8)), Step::Branch);
  EXPECT_EQ(m.seg(Seg::GS).selector, 0u);
  EXPECT_TRUE(m.seg(Seg::GS).unusable());
  EXPECT_EQ(m.seg(Seg::GS).base, 0x12345000u);
}

TEST(Iret, AWaitingNmiIsTakenAtOnce) {
  SegMachine m;
  m.long_mode(0);
  const u64 frame[] = {0x7000, kCode0, 2, 0x7700, kData0};
  ASSERT_TRUE(m.mem.write(kStack0, frame, sizeof frame));
  m.cpu.nmi_blocked = m.cpu.nmi_pending = true;
  m.cpu.exit_req = 0;
  ASSERT_EQ(iret(m.cpu, insn(8)), Step::Branch);
  EXPECT_LT(m.cpu.exit_req, 0);
}

TEST(Syscall, TheTrapFlagAtItsEndDecides) {
  constexpr u64 kBs = 1 << 14;
  SegMachine m;
  m.long_mode(3);
  m.cpu.msr.star = u64{kCode0} << 32 | u64{kData0} << 48;
  m.cpu.msr.sfmask = rflags::TF;
  m.cpu.set_flags(rflags::Fixed1 | rflags::TF);
  ASSERT_EQ(syscall(m.cpu, insn(4)), Step::Branch);
  EXPECT_TRUE(m.cpu.no_trap);
  EXPECT_EQ(m.cpu.pending_dr6, 0u) << "the handler is not stepped";
  m.cpu.no_trap = false;
  ASSERT_EQ(sysret(m.cpu, insn(8)), Step::Branch);
  EXPECT_TRUE(m.cpu.no_trap);
  EXPECT_EQ(m.cpu.pending_dr6, kBs) << "trap at the instruction behind SYSCALL";
}

}  // namespace
}  // namespace softvt::test
