#include <limits>

#include "tests/cpu/simd_harness.h"

namespace softvt::simd_test {
namespace {

constexpr u32 kMasked = 0x1f80;
constexpr u32 IE = 1, ZE = 4, OE = 8, UE = 16, PE = 32;
constexpr u32 unmask(u32 flag) { return kMasked & ~(flag << 7); }
constexpr double kMax = std::numeric_limits<double>::max();
constexpr double kMin = std::numeric_limits<double>::min();

TEST_F(SimdTest, DivisionRoundsAsTheGuestSays) {
  set_doubles(1, 1, 4);
  set_doubles(2, 3, 2);
  cpu_.mxcsr = kMasked | 2 << 13;  // up
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_DIVPD, 1, 2), Step::Next);
  EXPECT_EQ(low(1), 0x3fd5555555555556u);
  EXPECT_EQ(cpu_.xmm[1].df[1], 2.0);
  EXPECT_EQ(cpu_.mxcsr, (kMasked | 2 << 13 | PE));
}

TEST_F(SimdTest, FirstOfTwoNansWins) {
  set(1, 0x7ff8000000000001);
  set(2, 0x7ff8000000000002);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_ADDSD, 1, 2), Step::Next);
  EXPECT_EQ(low(1), 0x7ff8000000000001u);
}

TEST_F(SimdTest, UnmaskedInvalidHidesLaterFlags) {
  set_doubles(1, 0, 1);
  set_doubles(2, 0, 3);
  cpu_.mxcsr = unmask(IE);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_DIVPD, 1, 2), Step::Fault);
  EXPECT_EQ(cpu_.fault.vector, static_cast<u8>(Vector::XM));
  EXPECT_EQ(cpu_.mxcsr, unmask(IE) | IE);
  EXPECT_EQ(cpu_.xmm[1].df[1], 1.0);
}

TEST_F(SimdTest, ExceptionIsUndefinedOpcodeWithoutOsSupport) {
  cpu_.cr4 &= ~cr4::OSXMMEXCPT;
  set_doubles(1, 1, 1);
  set_doubles(2, 0, 1);
  cpu_.mxcsr = unmask(ZE);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_DIVPD, 1, 2), Step::Fault);
  EXPECT_EQ(cpu_.fault.vector, static_cast<u8>(Vector::UD));
}

TEST_F(SimdTest, UnmaskedOverflowOfAnExactProductIsNotInexact) {
  set_doubles(1, kMax, 1);
  set_doubles(2, 2, 1);
  cpu_.mxcsr = unmask(OE);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_MULPD, 1, 2), Step::Fault);
  EXPECT_EQ(cpu_.mxcsr, unmask(OE) | OE);
  cpu_.mxcsr = kMasked;
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_MULPD, 1, 2), Step::Next);
  EXPECT_EQ(cpu_.mxcsr, kMasked | OE | PE);
}

TEST_F(SimdTest, UnmaskedUnderflowReportsExactTinyResults) {
  set_doubles(1, kMin, 1);
  set_doubles(2, 0.5, 1);
  cpu_.mxcsr = unmask(UE);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_MULPD, 1, 2), Step::Fault);
  EXPECT_EQ(cpu_.mxcsr, unmask(UE) | UE);
  cpu_.mxcsr = kMasked;
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_MULPD, 1, 2), Step::Next);
  EXPECT_EQ(cpu_.mxcsr, kMasked);
}

TEST_F(SimdTest, UnorderedCompareSetsThreeFlags) {
  set(1, 0x7ff8000000000000);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_UCOMISD, 1, 2), Step::Next);
  EXPECT_EQ(cpu_.arithmetic_flags(), rflags::ZF | rflags::PF | rflags::CF);
  EXPECT_EQ(cpu_.mxcsr, kMasked);
}

TEST_F(SimdTest, ConversionOutOfRangeGivesIndefinite) {
  set_doubles(1, 1e30, 0);
  cpu_.r[RCX] = 0;
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_CVTTSD2SI, RCX * 8, 1), Step::Next);
  EXPECT_EQ(cpu_.r[RCX], 0x80000000u);
  EXPECT_EQ(cpu_.mxcsr, kMasked | IE);
}

}  // namespace
}  // namespace softvt::simd_test
