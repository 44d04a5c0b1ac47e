#include "tests/cpu/simd_harness.h"

namespace softvt::simd_test {
namespace {

TEST_F(SimdTest, AddsBytesWithoutCarryBetweenThem) {
  set(1, 0xff01, 0x80);
  set(2, 0x0101, 0x80);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_PADDB, 1, 2), Step::Next);
  EXPECT_EQ(low(1), 0x0002u);
  EXPECT_EQ(high(1), 0u);
}

TEST_F(SimdTest, MmxOperationEntersMmxState) {
  cpu_.fpu.fsw = 5 << 11;
  cpu_.fpu.st[3].significand = 0x0001000200030004;
  cpu_.fpu.st[4].significand = 0x0005000600070008;
  EXPECT_EQ(mmx(ZYDIS_MNEMONIC_PHADDW, 3, 4), Step::Next);
  EXPECT_EQ(cpu_.fpu.st[3].significand, 0x000b000f00030007u);
  EXPECT_EQ(cpu_.fpu.st[3].sign_exponent, 0xffff);
  EXPECT_EQ(cpu_.fpu.fsw, 0);
  EXPECT_EQ(cpu_.fpu.tag_valid, 0xff);
}

TEST_F(SimdTest, MmxHighUnpackTakesUpperHalves) {
  cpu_.fpu.st[0].significand = 0x1111222233334444;
  cpu_.fpu.st[1].significand = 0x5555666677778888;
  EXPECT_EQ(mmx(ZYDIS_MNEMONIC_PUNPCKHWD, 0, 1), Step::Next);
  EXPECT_EQ(cpu_.fpu.st[0].significand, 0x5555111166662222u);
}

TEST_F(SimdTest, PendingX87ExceptionComesBeforeMmx) {
  cpu_.cr0 |= cr0::NE;
  cpu_.fpu.fsw = 0x80 | 7 << 11;
  EXPECT_EQ(mmx(ZYDIS_MNEMONIC_PADDB, 0, 1), Step::Fault);
  EXPECT_EQ(cpu_.fault.vector, static_cast<u8>(Vector::MF));
  EXPECT_EQ(cpu_.fpu.fsw, 0x80 | 7 << 11);
}

TEST_F(SimdTest, EmmsEmptiesTheRegisters) {
  cpu_.fpu.tag_valid = 0xff;
  EXPECT_EQ(run(ZYDIS_MNEMONIC_EMMS, Unit::Mmx, Form::None, 0, 0), Step::Next);
  EXPECT_EQ(cpu_.fpu.tag_valid, 0);
}

TEST_F(SimdTest, ShiftByImmediateBeyondTheWidthClears) {
  set(1, ~u64{0}, ~u64{0});
  EXPECT_EQ(run(ZYDIS_MNEMONIC_PSRLQ, Unit::Sse, Form::RI, 1, 0, 64), Step::Next);
  EXPECT_EQ(low(1) | high(1), 0u);
  set(1, 0x11, 0x22);
  EXPECT_EQ(run(ZYDIS_MNEMONIC_PSRLDQ, Unit::Sse, Form::RI, 1, 0, 8), Step::Next);
  EXPECT_EQ(low(1), 0x22u);
  EXPECT_EQ(high(1), 0u);
}

TEST_F(SimdTest, PtestSetsZeroAndCarry) {
  set(1, 0xf0, 0);
  set(2, 0x30, 0);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_PTEST, 1, 2), Step::Next);
  EXPECT_EQ(cpu_.arithmetic_flags(), rflags::CF);
  set(2, 0x0f, 0);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_PTEST, 1, 2), Step::Next);
  EXPECT_EQ(cpu_.arithmetic_flags(), rflags::ZF);
}

}  // namespace
}  // namespace softvt::simd_test
