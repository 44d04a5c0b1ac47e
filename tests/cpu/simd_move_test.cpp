#include <cstring>
#include <set>

#include "tests/cpu/simd_harness.h"

namespace softvt::simd_test {
namespace {

TEST_F(SimdTest, MovqBetweenXmmClearsTheUpperHalf) {
  set(1, 1, 2);
  set(2, 3, 4);
  prefixes_ = prefix::kRep;
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_MOVQ, 1, 2, 0, 0x7e), Step::Next);
  EXPECT_EQ(low(1), 3u);
  EXPECT_EQ(high(1), 0u);
  prefixes_ = prefix::kRexW;
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_MOVQ, RBX * 8, 2, 0, 0x7e), Step::Next);
  EXPECT_EQ(cpu_.r[RBX], 3u);
}

TEST_F(SimdTest, MovsdBetweenXmmKeepsTheUpperHalf) {
  set(1, 1, 2);
  set(2, 3, 4);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_MOVSD, 1, 2), Step::Next);
  EXPECT_EQ(low(1), 3u);
  EXPECT_EQ(high(1), 2u);
}

TEST_F(SimdTest, Crc32OfNineDigits) {
  const char digits[] = "123456789";
  cpu_.r[RAX] = 0xffffffff;
  for (unsigned i = 0; i < 9; ++i) {
    cpu_.r[RCX] = static_cast<u8>(digits[i]);
    run(ZYDIS_MNEMONIC_CRC32, Unit::Integer, Form::RR, RAX * 8, RCX * 8, 0, 0xf0);
  }
  EXPECT_EQ(static_cast<u32>(~cpu_.r[RAX]), 0xe3069283u);
}

TEST_F(SimdTest, ImplicitStringCompareFindsTheEnd) {
  set(2, 0x0000000064636261);  // "abcd"
  cpu_.r[RCX] = ~u64{0};
  // Equal each with itself, least significant index of a mismatch: none before the end.
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_PCMPISTRI, 2, 2, 0x18), Step::Next);
  EXPECT_EQ(cpu_.r[RCX], 16u);
  EXPECT_EQ(cpu_.arithmetic_flags(), rflags::ZF | rflags::SF);
}

TEST_F(SimdTest, AesRoundOfTheStandard) {
  // FIPS-197 appendix B: round 1 is AESENC of the start of round 1 with the round key 1.
  const u8 start[16] = {0x19, 0x3d, 0xe3, 0xbe, 0xa0, 0xf4, 0xe2, 0x2b,
                        0x9a, 0xc6, 0x8d, 0x2a, 0xe9, 0xf8, 0x48, 0x08};
  const u8 key[16] = {0xa0, 0xfa, 0xfe, 0x17, 0x88, 0x54, 0x2c, 0xb1,
                      0x23, 0xa3, 0x39, 0x39, 0x2a, 0x6c, 0x76, 0x05};
  const u8 next[16] = {0xa4, 0x9c, 0x7f, 0xf2, 0x68, 0x9f, 0x35, 0x2b,
                       0x6b, 0x5b, 0xea, 0x43, 0x02, 0x6a, 0x50, 0x49};
  std::memcpy(&cpu_.xmm[1], start, 16);
  std::memcpy(&cpu_.xmm[2], key, 16);
  EXPECT_EQ(sse(ZYDIS_MNEMONIC_AESENC, 1, 2), Step::Next);
  EXPECT_EQ(std::memcmp(&cpu_.xmm[1], next, 16), 0);
}

TEST_F(SimdTest, NoTwoRowsServeTheSameInstruction) {
  std::set<std::pair<ZydisMnemonic, Unit>> seen;
  for (const InsnRow& row : simd_rows()) {
    EXPECT_TRUE(seen.emplace(row.mnemonic, row.unit).second)
        << ZydisMnemonicGetString(row.mnemonic);
  }
}

}  // namespace
}  // namespace softvt::simd_test
