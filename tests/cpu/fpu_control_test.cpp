// Pending exceptions, control instructions, pointers, and the environment images.
#include "cpu/fpu/environment.h"
#include "tests/cpu/fpu_test_support.h"

namespace softvt::test {
namespace {

using namespace fpu;

class FpuControl : public FpuTest {
 protected:
  void load_control(u16 value) {
    put(&value, sizeof(value));
    ASSERT_EQ(execute(0xd9, 0x28), Step::Next);
  }
  // 1 / 0 with #Z unmasked leaves a pending exception.
  void divide_by_zero_unmasked() {
    load_control(kControlInit & ~fsw::ZE);
    push(0.0L);
    push(1.0L);
    ASSERT_EQ(execute(0xd8, 0xf1), Step::Next);
  }
};

TEST_F(FpuControl, ResultsAreThoseOfLongDouble) {
  push(3.0L);
  push(2.0L);
  EXPECT_EQ(execute(0xd8, 0xf1), Step::Next);  // FDIV ST, ST(1)
  EXPECT_EQ(st(0), 2.0L / 3.0L);
  EXPECT_EQ(execute(0xde, 0xc1), Step::Next);  // FADDP
  EXPECT_EQ(st(0), 3.0L + 2.0L / 3.0L);
  EXPECT_TRUE(empty(cpu.fpu, 1));
  const double operand = 0.1;
  put(&operand, sizeof(operand));
  EXPECT_EQ(execute(0xdc, 0x08), Step::Next);  // FMUL m64
  EXPECT_EQ(st(0), (3.0L + 2.0L / 3.0L) * static_cast<long double>(operand));
}

TEST_F(FpuControl, UnmaskedZeroDivideStopsAndIsRaisedByTheNextWaitingInstruction) {
  divide_by_zero_unmasked();
  EXPECT_EQ(status() & (fsw::ES | fsw::B | fsw::ZE), fsw::ES | fsw::B | fsw::ZE);
  EXPECT_EQ(st(0), 1.0L);
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_FWAIT), Step::Fault);
  EXPECT_EQ(fault(), Vector::MF);
  EXPECT_EQ(execute(0xd9, 0xe8), Step::Fault);  // FLD1
  EXPECT_EQ(execute(0xdf, 0xe0), Step::Next);   // FNSTSW AX does not wait
  EXPECT_EQ(get_reg<u16>(cpu, RAX * 8), status());
  EXPECT_EQ(execute(0xdb, 0xe2), Step::Next);  // FNCLEX
  EXPECT_EQ(status() & (fsw::Exceptions | fsw::ES | fsw::B | fsw::SF), 0);
  EXPECT_EQ(execute(0xd9, 0xe8), Step::Next);
}

TEST_F(FpuControl, WithoutNumericErrorReportingNothingIsRaised) {
  cpu.cr0 &= ~cr0::NE;
  divide_by_zero_unmasked();
  EXPECT_NE(status() & fsw::ES, 0);
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_FWAIT), Step::Next);
}

TEST_F(FpuControl, StackFaults) {
  EXPECT_EQ(execute(0xd9, 0xfa), Step::Next);  // FSQRT of an empty register
  EXPECT_EQ(status() & (fsw::IE | fsw::SF | fsw::C1), fsw::IE | fsw::SF);
  EXPECT_EQ(fpu::st(cpu.fpu, 0).significand, kIndefinite.significand);
  execute(0xdb, 0xe3);
  for (unsigned i = 0; i < 8; ++i) execute(0xd9, 0xe8);
  EXPECT_EQ(status() & fsw::IE, 0);
  execute(0xd9, 0xe8);
  EXPECT_EQ(status() & (fsw::IE | fsw::SF | fsw::C1), fsw::IE | fsw::SF | fsw::C1);
}

TEST_F(FpuControl, ControlWordKeepsItsFixedBits) {
  load_control(0xffff);
  EXPECT_EQ(cpu.fpu.fcw, 0x1f7f);
  load_control(0);
  EXPECT_EQ(cpu.fpu.fcw, 0x0040);
}

TEST_F(FpuControl, UnmaskingAFlagThatIsSetMakesItPending) {
  push(0.0L);
  push(1.0L);
  execute(0xd8, 0xf1);
  EXPECT_EQ(status() & fsw::ES, 0);
  load_control(kControlInit & ~fsw::ZE);
  EXPECT_NE(status() & fsw::ES, 0);
}

TEST_F(FpuControl, PointersOfNonControlInstructions) {
  cpu.rip = 0x1234;
  cpu.seg[static_cast<unsigned>(Seg::CS)].selector = 0x10;
  cpu.seg[static_cast<unsigned>(Seg::DS)].selector = 0x18;
  const float one = 1;
  put(&one, sizeof(one));
  execute(0xd9, 0x05);
  cpu.rip = 0x5678;
  execute(0xdb, 0xe2);  // FNCLEX leaves them
  EXPECT_EQ(cpu.fpu.fip, 0x1234u);
  EXPECT_EQ(cpu.fpu.fdp, kOperand);
  EXPECT_EQ(cpu.fpu.fcs, 0x10);
  EXPECT_EQ(cpu.fpu.fds, 0x18);
  EXPECT_EQ(cpu.fpu.fop, 0x105);
}

TEST_F(FpuControl, EnvironmentImages) {
  X87State s;
  initialise(s);
  fpu::push(s, reg(0.0L));
  fpu::push(s, reg(1.0L));
  s.fip = 0x12345;
  s.fcs = 0x20;
  s.fdp = 0x23456;
  s.fds = 0x30;
  s.fop = 0x5d8;
  EXPECT_EQ(full_tag_word(s), 0x4fff);
  u8 image[28];
  const auto word = [&](unsigned at) { return static_cast<u16>(image[at] | image[at + 1] << 8); };
  encode_environment(s, EnvironmentFormat::Protected32, image);
  EXPECT_EQ(word(0), kControlInit);
  EXPECT_EQ(word(4), 6 << 11);
  EXPECT_EQ(word(8), 0x4fff);
  EXPECT_EQ(word(12), 0x2345);
  EXPECT_EQ(word(16), 0x20);
  EXPECT_EQ(word(18), 0x5d8);
  EXPECT_EQ(word(24), 0x30);
  encode_environment(s, EnvironmentFormat::Real32, image);
  EXPECT_EQ(word(12), 0x2545);  // 0x20 * 16 + 0x12345
  EXPECT_EQ(word(16), 0x15d8);
  encode_environment(s, EnvironmentFormat::Protected16, image);
  EXPECT_EQ(word(6), 0x2345);
  EXPECT_EQ(word(8), 0x20);
  EXPECT_EQ(word(12), 0x30);
  encode_environment(s, EnvironmentFormat::Real16, image);
  EXPECT_EQ(word(6), 0x2545);
  EXPECT_EQ(word(8), 0x15d8);
  EXPECT_EQ(word(12), 0x2000);
  for (const auto format : {EnvironmentFormat::Protected32, EnvironmentFormat::Real32,
                            EnvironmentFormat::Protected16, EnvironmentFormat::Real16}) {
    u8 again[28];
    X87State copy = s;
    encode_environment(s, format, image);
    decode_environment(copy, format, image);
    encode_environment(copy, format, again);
    EXPECT_EQ(std::memcmp(image, again, environment_size(format)), 0);
    EXPECT_EQ(copy.tag_valid, s.tag_valid);
  }
}

TEST_F(FpuControl, SaveInitialisesAndRestoreBringsBack) {
  push(1.5L);
  push(-2.5L);
  const X87State before = cpu.fpu;
  EXPECT_EQ(execute(0xdd, 0x30), Step::Next);  // FNSAVE
  EXPECT_EQ(cpu.fpu.fcw, kControlInit);
  EXPECT_EQ(cpu.fpu.tag_valid, 0);
  cpu.fpu.st.fill(X87Reg{});
  EXPECT_EQ(execute(0xdd, 0x20), Step::Next);  // FRSTOR
  EXPECT_EQ(st(0), -2.5L);
  EXPECT_EQ(st(1), 1.5L);
  EXPECT_EQ(cpu.fpu.tag_valid, before.tag_valid);
  EXPECT_EQ(cpu.fpu.fsw, before.fsw);
}

TEST_F(FpuControl, StoreEnvironmentMasksExceptions) {
  divide_by_zero_unmasked();
  EXPECT_EQ(execute(0xd9, 0x30), Step::Next);  // FNSTENV
  EXPECT_NE(get<u16>(kOperand + 4) & fsw::ES, 0);
  EXPECT_EQ(cpu.fpu.fcw & fsw::Exceptions, fsw::Exceptions);
  EXPECT_EQ(status() & fsw::ES, 0);
}

}  // namespace
}  // namespace softvt::test
