// Delivery of events in every mode, escalation, task switches.
#include "cpu/seg/task.h"
#include "tests/cpu/seg_machine.h"

namespace softvt::test {
namespace {

Insn int_insn(u8 vector) {
  Insn in = insn(4, Form::I, 0xcd);
  in.imm = vector;
  return in;
}

TEST(Delivery, RealMode) {
  SegMachine m;
  m.cpu.idtr = {0, 0x3ff};
  m.put32(0x21 * 4, 0x06000010);
  m.cpu.set_flags(rflags::IF | rflags::Fixed1);
  m.start(0x5000, 2);
  ASSERT_EQ(int_n(m.cpu, int_insn(0x21)), Step::Fault);
  ASSERT_EQ(m.deliver_posted(), Delivered::Ok);
  EXPECT_EQ(m.cpu.rip, 0x10u);
  EXPECT_EQ(m.seg(Seg::CS).base, 0x6000u);
  EXPECT_EQ(m.cpu.r[RSP], kStack0 - 6);
  EXPECT_EQ(m.get(kStack0 - 6, 2), 0x5002u);
  EXPECT_EQ(m.get(kStack0 - 2, 2), 0x202u);
  EXPECT_FALSE(m.cpu.flags() & rflags::IF);
  ASSERT_EQ(iret(m.cpu, insn(2)), Step::Branch);
  EXPECT_EQ(m.cpu.rip, 0x5002u);
  EXPECT_TRUE(m.cpu.flags() & rflags::IF);
}

TEST(Delivery, ProtectedModeFromRing3) {
  SegMachine m;
  m.protected_mode(3);
  m.put64(kIdt + 0x80 * 8, gate(kCode0, kHandler, 0xef));
  m.cpu.set_flags(rflags::IF | rflags::Fixed1);
  ASSERT_EQ(int_n(m.cpu, int_insn(0x80)), Step::Fault);
  ASSERT_EQ(m.deliver_posted(), Delivered::Ok);
  EXPECT_EQ(m.cpu.cpl(), 0u);
  EXPECT_EQ(m.cpu.r[RSP], kStack0 - 20);
  EXPECT_EQ(m.get(kStack0 - 20, 4), kCode + 2);
  EXPECT_EQ(m.get(kStack0 - 8, 4), kStack3);
  EXPECT_TRUE(m.cpu.flags() & rflags::IF) << "a trap gate keeps IF";
  ASSERT_EQ(iret(m.cpu, insn(4)), Step::Branch);
  EXPECT_EQ(m.cpu.cpl(), 3u);
  EXPECT_EQ(m.cpu.rip, kCode + 2);
  EXPECT_EQ(m.cpu.r[RSP], kStack3);
}

TEST(Delivery, FaultPushesRfErrorCodeAndCr2) {
  SegMachine m;
  m.protected_mode(0);
  m.put64(kIdt + 14 * 8, gate(kCode0, kHandler, 0x8e));
  Event e;
  e.vector = 14;
  e.has_error = true;
  e.error = 2;
  e.cr2 = 0xabc000;
  ASSERT_EQ(deliver_with_escalation(m.cpu, e), Delivered::Ok);
  EXPECT_EQ(m.cpu.cr2, 0xabc000u);
  EXPECT_EQ(m.cpu.r[RSP], kStack0 - 16);
  EXPECT_EQ(m.get(kStack0 - 16, 4), 2u);
  EXPECT_EQ(m.get(kStack0 - 12, 4), kCode);
  EXPECT_TRUE(m.get(kStack0 - 4, 4) & rflags::RF);
  EXPECT_FALSE(m.cpu.flags() & rflags::RF);
}

TEST(Delivery, GateLevelIsCheckedForSoftwareOnly) {
  SegMachine m;
  m.protected_mode(3);
  m.put64(kIdt + 0x80 * 8, gate(kCode0, kHandler, 0x8e));
  m.put64(kIdt + 13 * 8, gate(kCode0, kHandler, 0x8e));
  ASSERT_EQ(int_n(m.cpu, int_insn(0x80)), Step::Fault);
  ASSERT_EQ(m.deliver_posted(), Delivered::Ok);
  EXPECT_EQ(m.get(kStack0 - 24, 4), 0x80u * 8 + 2) << "EXT is clear";
  EXPECT_EQ(m.get(kStack0 - 20, 4), kCode) << "the INT itself faulted";
}

TEST(Delivery, ExtIsSetForExternalInterrupts) {
  SegMachine m;
  m.protected_mode(0);
  m.put64(kIdt + 11 * 8, gate(kCode0, kHandler, 0x8e));
  m.put64(kIdt + 0x30 * 8, gate(kCode0, kHandler, 0x0e));  // not present
  Event e;
  e.vector = 0x30;
  e.type = EventType::ExternalInterrupt;
  ASSERT_EQ(deliver_with_escalation(m.cpu, e), Delivered::Ok);
  EXPECT_EQ(m.get(kStack0 - 16, 4), 0x30u * 8 + 3);
}

TEST(Delivery, DoubleFaultAndShutdown) {
  SegMachine m;
  m.protected_mode(0);
  m.put64(kIdt + 8 * 8, gate(kCode0, kHandler, 0x8e));
  ASSERT_EQ(m.deliver_fault(Vector::GP, true, 0), Delivered::Ok);
  EXPECT_EQ(m.get(kStack0 - 16, 4), 0u);
  EXPECT_EQ(m.cpu.rip, kHandler);
  m.put64(kIdt + 8 * 8, 0);
  ASSERT_EQ(m.deliver_fault(Vector::GP, true, 0), Delivered::Shutdown);
  EXPECT_EQ(m.cpu.activity, Activity::Shutdown);
  EXPECT_FALSE(m.cpu.fault_pending);
}

TEST(Delivery, BenignThenContributoryIsSerial) {
  SegMachine m;
  m.protected_mode(0);
  m.put64(kIdt + 13 * 8, gate(kCode0, kHandler, 0x8e));
  ASSERT_EQ(m.deliver_fault(Vector::UD), Delivered::Ok);
  EXPECT_EQ(m.get(kStack0 - 16, 4), 6u * 8 + 3);
}

TEST(Delivery, DebugExceptionUpdatesDr6) {
  SegMachine m;
  m.protected_mode(0);
  m.put64(kIdt + 8, gate(kCode0, kHandler, 0x8e));
  m.cpu.dr7 |= 1 << 13;
  Event e;
  e.vector = 1;
  e.dr6 = 1 << 14;
  ASSERT_EQ(deliver_with_escalation(m.cpu, e), Delivered::Ok);
  EXPECT_TRUE(m.cpu.dr6 & (1 << 14));
  EXPECT_FALSE(m.cpu.dr7 & (1 << 13));
}

TEST(Delivery, LongModeFromRing3) {
  SegMachine m;
  m.long_mode(3);
  m.put64(kIdt + 0x80 * 16, gate(kCode0, kHandler, 0xee));
  m.put64(kIdt + 0x80 * 16 + 8, 0xffffff80);
  m.cpu.r[RSP] = kStack3 - 4;
  ASSERT_EQ(int_n(m.cpu, int_insn(0x80)), Step::Fault);
  ASSERT_EQ(m.deliver_posted(), Delivered::Ok);
  EXPECT_EQ(m.cpu.rip, 0xffffff8000000000 | kHandler);
  EXPECT_EQ(m.cpu.r[RSP], kStack0 - 40);
  EXPECT_EQ(m.get(kStack0 - 8, 8), kData3);
  EXPECT_EQ(m.get(kStack0 - 16, 8), kStack3 - 4);
  EXPECT_TRUE(m.seg(Seg::SS).unusable());
  ASSERT_EQ(iret(m.cpu, insn(8)), Step::Branch);
  EXPECT_EQ(m.cpu.cpl(), 3u);
  EXPECT_EQ(m.cpu.r[RSP], kStack3 - 4);
  EXPECT_EQ(m.cpu.rip, kCode + 2);
}

TEST(Delivery, InterruptStackTableAndAlignment) {
  SegMachine m;
  m.long_mode(0);
  m.put64(kIdt + 2 * 16, gate(kCode0, kHandler, 0x8e, 1));
  m.cpu.r[RSP] = kStack0 - 3;
  Event e;
  e.vector = 2;
  e.type = EventType::Nmi;
  ASSERT_EQ(deliver_with_escalation(m.cpu, e), Delivered::Ok);
  EXPECT_TRUE(m.cpu.nmi_blocked);
  EXPECT_EQ(m.cpu.r[RSP], kIstStack - 40);
  EXPECT_EQ(m.get(kIstStack - 16, 8), kStack0 - 3);
  EXPECT_EQ(m.selector(Seg::SS), kData0) << "no change of level: SS stays";
  m.put64(kIdt + 3 * 16, gate(kCode0, kHandler, 0x8e));
  m.cpu.r[RSP] = kStack0 - 3;
  ASSERT_EQ(int3(m.cpu, insn(4)), Step::Fault);
  ASSERT_EQ(m.deliver_posted(), Delivered::Ok);
  EXPECT_EQ(m.cpu.r[RSP], kStack0 - 16 - 40);
}

// Tables and stacks of the kernel stand in the upper half while compatibility mode runs.
TEST(Delivery, FromCompatibilityModeIntoTheUpperHalf) {
  SegMachine m;
  m.long_mode(3);
  constexpr u64 kUpper = 0xffffff8000000000;
  m.put64(kPageTables, 0);
  m.put64(kPageTables + 0x1000, 0);  // no identity mapping at all ...
  m.put64(kPageTables + 0xff8, (kPageTables + 0x3000) | 7);
  m.put64(kPageTables + 0x3000, (kPageTables + 0x2000) | 7);  // ... but the upper half
  m.cpu.gdtr.base |= kUpper;
  m.cpu.idtr.base |= kUpper;
  m.put64(kTss + 4, kUpper | kStack0);
  m.put64(kIdt + 0x30 * 16, gate(kCode0, kHandler, 0x8e));
  m.put64(kIdt + 0x30 * 16 + 8, 0xffffff80);
  Segment tr = m.seg(Seg::TR);
  tr.base |= kUpper;
  m.cpu.set_segment(Seg::TR, tr);
  m.cpu.set_segment(Seg::CS, flat_code_segment(kCompat3, 3, false));
  ASSERT_FALSE(m.cpu.code64());
  Event e;
  e.vector = 0x30;
  e.type = EventType::ExternalInterrupt;
  ASSERT_EQ(deliver_with_escalation(m.cpu, e), Delivered::Ok);
  EXPECT_EQ(m.cpu.rip, kUpper | kHandler);
  EXPECT_EQ(m.cpu.r[RSP], (kUpper | kStack0) - 40);
  EXPECT_EQ(m.get(kStack0 - 40, 8), kCode);
}

// ---- task switches ----------------------------------------------------------------------------

void build_other_task(SegMachine& m) {
  m.put32(kOtherTss + 0x20, 0x7000);
  m.put32(kOtherTss + 0x24, 0x2);
  m.put32(kOtherTss + 0x28, 0xaaaa);
  m.put32(kOtherTss + 0x38, kIstStack);
  m.put16(kOtherTss + 0x48, kData0);
  m.put16(kOtherTss + 0x4c, kCode0);
  m.put16(kOtherTss + 0x50, kData0);
  m.put16(kOtherTss + 0x54, kData0);
}

TEST(Task, CallAndReturn) {
  SegMachine m;
  m.protected_mode(0);
  build_other_task(m);
  m.cpu.r[RAX] = 0x1234;
  m.start(kCode, 7);
  ASSERT_EQ(far_call(m.cpu, far_insn(4, kOtherTssSelector, 0)), Step::Branch);
  EXPECT_EQ(m.cpu.rip, 0x7000u);
  EXPECT_EQ(m.cpu.r[RAX], 0xaaaau);
  EXPECT_EQ(m.cpu.r[RSP], kIstStack);
  EXPECT_TRUE(m.cpu.flags() & rflags::NT);
  EXPECT_TRUE(m.cpu.cr0 & cr0::TS);
  EXPECT_EQ(m.selector(Seg::TR), kOtherTssSelector);
  EXPECT_EQ(m.get(kOtherTss, 2), kTssSelector);
  EXPECT_EQ(m.get(kGdt + kOtherTssSelector + 5, 1), 0x8bu);
  EXPECT_EQ(m.get(kTss + 0x20, 4), kCode + 7);
  m.entry(kTssSelector, descriptor(kTss, 0x87, 0x8b));
  ASSERT_EQ(iret(m.cpu, insn(4)), Step::Branch);
  EXPECT_EQ(m.cpu.rip, kCode + 7);
  EXPECT_EQ(m.cpu.r[RAX], 0x1234u);
  EXPECT_FALSE(m.cpu.flags() & rflags::NT);
  EXPECT_EQ(m.get(kGdt + kOtherTssSelector + 5, 1), 0x89u);
  EXPECT_FALSE(m.get(kOtherTss + 0x24, 4) & rflags::NT);
}

TEST(Task, JumpToBusyTask) {
  SegMachine m;
  m.protected_mode(0);
  m.expect_fault(far_jump(m.cpu, far_insn(4, kTssSelector, 0)), Vector::GP, kTssSelector);
  m.entry(kOtherTssSelector, descriptor(kOtherTss, 0x66, 0x89));
  m.expect_fault(far_jump(m.cpu, far_insn(4, kOtherTssSelector, 0)), Vector::TS, kOtherTssSelector);
}

TEST(Task, GatePushesTheErrorCode) {
  SegMachine m;
  m.protected_mode(0);
  build_other_task(m);
  m.put64(kIdt + 8 * 8, gate(kOtherTssSelector, 0, 0x85));
  m.put32(kOtherTss + 0x64, 1);
  ASSERT_EQ(m.deliver_fault(Vector::DF, true, 0), Delivered::Ok);
  EXPECT_EQ(m.cpu.r[RSP], kIstStack - 4);
  EXPECT_EQ(m.get(kTss + 0x20, 4), kCode);
  EXPECT_EQ(m.cpu.pending_dr6, u64{1} << 15);
}

TEST(Task, FaultInTheNewTask) {
  SegMachine m;
  m.protected_mode(0);
  build_other_task(m);
  m.put16(kOtherTss + 0x54, kCode3 - 3 + 0x80);  // DS outside the usable descriptors
  Insn in = far_insn(4, kOtherTssSelector, 0);
  m.expect_fault(far_jump(m.cpu, in), Vector::TS, kCode3 - 3 + 0x80);
  EXPECT_EQ(m.cpu.rip, 0x7000u);
  EXPECT_EQ(m.selector(Seg::TR), kOtherTssSelector);
}

// The single-step trap of a MOV SS is lost if an event comes next; its breakpoints are not.
TEST(Delivery, DebugConditionsBehindMovSs) {
  constexpr u64 kB1 = 2, kBs = 1 << 14;
  SegMachine m;
  m.protected_mode(0);
  for (const u64 vector : {1, 3}) m.put64(kIdt + vector * 8, gate(kCode0, kHandler, 0x8e));
  m.cpu.pending_dr6 = kBs | kB1;
  ASSERT_EQ(int3(m.cpu, insn(4)), Step::Fault);
  ASSERT_EQ(m.deliver_posted(), Delivered::Ok);
  EXPECT_EQ(m.cpu.pending_dr6, kB1) << "waits for the first instruction of the handler";
  m.start(kCode, 1);
  m.cpu.pending_dr6 = kBs | kB1;
  ASSERT_EQ(int1(m.cpu, insn(4)), Step::Fault);
  ASSERT_EQ(m.deliver_posted(), Delivered::Ok);
  EXPECT_EQ(m.cpu.pending_dr6, 0u);
  EXPECT_EQ(m.cpu.dr6 & (kBs | 0xf), kB1);
}

}  // namespace
}  // namespace softvt::test
