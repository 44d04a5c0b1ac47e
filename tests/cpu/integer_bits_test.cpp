// Bit tests, bit scans, BMI1, BMI2 against the host.
#include "tests/cpu/integer_host.h"

namespace softvt::test {
namespace {

constexpr u64 kOf = rflags::OF, kSf = rflags::SF, kAf = rflags::AF, kPf = rflags::PF,
              kCf = rflags::CF;

#define BIT_TEST_CASES(name, mnemonic, opcode)                          \
  {name " ax,cx", mnemonic, register_insn(2, opcode, kA, kC),           \
   SOFTVT_HOST_CODE(name "w %%cx, %%ax"), kOf | kSf | kAf | kPf},       \
      {name " eax,ecx", mnemonic, register_insn(4, opcode, kA, kC),     \
       SOFTVT_HOST_CODE(name "l %%ecx, %%eax"), kOf | kSf | kAf | kPf}, \
      {name " rax,rcx", mnemonic, register_insn(8, opcode, kA, kC),     \
       SOFTVT_HOST_CODE(name "q %%rcx, %%rax"), kOf | kSf | kAf | kPf}, \
  {                                                                     \
    name " rax,61", mnemonic, immediate_insn(8, 0xba, kA, 61),          \
        SOFTVT_HOST_CODE(name "q $61, %%rax"), kOf | kSf | kAf | kPf    \
  }

TEST(IntegerBits, BitTestsAgreeWithHost) {
  const HostCase cases[] = {
      BIT_TEST_CASES("bts", ZYDIS_MNEMONIC_BTS, 0xab),
      BIT_TEST_CASES("btr", ZYDIS_MNEMONIC_BTR, 0xb3),
      BIT_TEST_CASES("btc", ZYDIS_MNEMONIC_BTC, 0xbb),
      {"bt rax,rcx", ZYDIS_MNEMONIC_BT, register_insn(8, 0xa3, kA, kC),
       SOFTVT_HOST_CODE("btq %%rcx, %%rax"), kOf | kSf | kAf | kPf},
      {"bt eax,ecx", ZYDIS_MNEMONIC_BT, register_insn(4, 0xa3, kA, kC),
       SOFTVT_HOST_CODE("btl %%ecx, %%eax"), kOf | kSf | kAf | kPf},
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

#define SCAN_CASES(name, mnemonic, opcode, undefined)               \
  {name " ax,cx", mnemonic, register_insn(2, opcode, kA, kC),       \
   SOFTVT_HOST_CODE(name "w %%cx, %%ax"), undefined},               \
      {name " eax,ecx", mnemonic, register_insn(4, opcode, kA, kC), \
       SOFTVT_HOST_CODE(name "l %%ecx, %%eax"), undefined},         \
  {                                                                 \
    name " rax,rcx", mnemonic, register_insn(8, opcode, kA, kC),    \
        SOFTVT_HOST_CODE(name "q %%rcx, %%rax"), undefined          \
  }

TEST(IntegerBits, ScansAgreeWithHost) {
  const HostCase cases[] = {
      SCAN_CASES("bsf", ZYDIS_MNEMONIC_BSF, 0xbc, kCf | kOf | kSf | kAf | kPf),
      SCAN_CASES("bsr", ZYDIS_MNEMONIC_BSR, 0xbd, kCf | kOf | kSf | kAf | kPf),
      SCAN_CASES("popcnt", ZYDIS_MNEMONIC_POPCNT, 0xb8, 0),
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

TEST(IntegerBits, CountsOfZerosAgreeWithHost) {
  if (!__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("lzcnt")) GTEST_SKIP();
  const HostCase cases[] = {
      SCAN_CASES("tzcnt", ZYDIS_MNEMONIC_TZCNT, 0xbc, kOf | kSf | kAf | kPf),
      SCAN_CASES("lzcnt", ZYDIS_MNEMONIC_LZCNT, 0xbd, kOf | kSf | kAf | kPf),
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

TEST(IntegerBits, WithoutTheFeatureLzcntIsBsr) {
  auto cpu = std::make_unique<Cpu>();
  load(*cpu, {0, 0, 0x10, 0, 0});
  EXPECT_EQ(function_of(ZYDIS_MNEMONIC_LZCNT)(*cpu, register_insn(8, 0xbd, kA, kC)), Step::Next);
  EXPECT_EQ(cpu->r[RAX], 4u);
}

#define BMI_CASE(name, bits, mnemonic, a, b, c, code, undefined) \
  { name, mnemonic, register_insn(bits / 8, 0, a, b, c), SOFTVT_HOST_CODE(code), undefined }

TEST(IntegerBits, Bmi1AgreesWithHost) {
  if (!__builtin_cpu_supports("bmi")) GTEST_SKIP() << "the host has no BMI1";
  const HostCase cases[] = {
      BMI_CASE("andn32", 32, ZYDIS_MNEMONIC_ANDN, kA, kC, kD, "andn %%edx, %%ecx, %%eax",
               kAf | kPf),
      BMI_CASE("andn64", 64, ZYDIS_MNEMONIC_ANDN, kA, kC, kD, "andn %%rdx, %%rcx, %%rax",
               kAf | kPf),
      BMI_CASE("bextr32", 32, ZYDIS_MNEMONIC_BEXTR, kA, kC, kD, "bextr %%edx, %%ecx, %%eax",
               kAf | kPf | kSf),
      BMI_CASE("bextr64", 64, ZYDIS_MNEMONIC_BEXTR, kA, kC, kD, "bextr %%rdx, %%rcx, %%rax",
               kAf | kPf | kSf),
      BMI_CASE("blsi32", 32, ZYDIS_MNEMONIC_BLSI, kA, kC, 0, "blsi %%ecx, %%eax", kAf | kPf),
      BMI_CASE("blsi64", 64, ZYDIS_MNEMONIC_BLSI, kA, kC, 0, "blsi %%rcx, %%rax", kAf | kPf),
      BMI_CASE("blsmsk32", 32, ZYDIS_MNEMONIC_BLSMSK, kA, kC, 0, "blsmsk %%ecx, %%eax", kAf | kPf),
      BMI_CASE("blsmsk64", 64, ZYDIS_MNEMONIC_BLSMSK, kA, kC, 0, "blsmsk %%rcx, %%rax", kAf | kPf),
      BMI_CASE("blsr32", 32, ZYDIS_MNEMONIC_BLSR, kA, kC, 0, "blsr %%ecx, %%eax", kAf | kPf),
      BMI_CASE("blsr64", 64, ZYDIS_MNEMONIC_BLSR, kA, kC, 0, "blsr %%rcx, %%rax", kAf | kPf),
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

Insn rorx(unsigned size, i64 count) {
  Insn in = register_insn(size, 0xf0, kA, kC);
  in.imm = count;
  return in;
}

TEST(IntegerBits, Bmi2AgreesWithHost) {
  if (!__builtin_cpu_supports("bmi2")) GTEST_SKIP() << "the host has no BMI2";
  const HostCase cases[] = {
      BMI_CASE("bzhi32", 32, ZYDIS_MNEMONIC_BZHI, kA, kC, kD, "bzhi %%edx, %%ecx, %%eax",
               kAf | kPf),
      BMI_CASE("bzhi64", 64, ZYDIS_MNEMONIC_BZHI, kA, kC, kD, "bzhi %%rdx, %%rcx, %%rax",
               kAf | kPf),
      BMI_CASE("pdep32", 32, ZYDIS_MNEMONIC_PDEP, kA, kC, kD, "pdep %%edx, %%ecx, %%eax", 0),
      BMI_CASE("pdep64", 64, ZYDIS_MNEMONIC_PDEP, kA, kC, kD, "pdep %%rdx, %%rcx, %%rax", 0),
      BMI_CASE("pext32", 32, ZYDIS_MNEMONIC_PEXT, kA, kC, kD, "pext %%edx, %%ecx, %%eax", 0),
      BMI_CASE("pext64", 64, ZYDIS_MNEMONIC_PEXT, kA, kC, kD, "pext %%rdx, %%rcx, %%rax", 0),
      BMI_CASE("sarx32", 32, ZYDIS_MNEMONIC_SARX, kA, kC, kD, "sarx %%edx, %%ecx, %%eax", 0),
      BMI_CASE("sarx64", 64, ZYDIS_MNEMONIC_SARX, kA, kC, kD, "sarx %%rdx, %%rcx, %%rax", 0),
      BMI_CASE("shlx32", 32, ZYDIS_MNEMONIC_SHLX, kA, kC, kD, "shlx %%edx, %%ecx, %%eax", 0),
      BMI_CASE("shrx64", 64, ZYDIS_MNEMONIC_SHRX, kA, kC, kD, "shrx %%rdx, %%rcx, %%rax", 0),
      BMI_CASE("mulx32", 32, ZYDIS_MNEMONIC_MULX, kA, kC, kB, "mulx %%ebx, %%ecx, %%eax", 0),
      BMI_CASE("mulx64", 64, ZYDIS_MNEMONIC_MULX, kA, kC, kB, "mulx %%rbx, %%rcx, %%rax", 0),
      BMI_CASE("mulx64 same", 64, ZYDIS_MNEMONIC_MULX, kA, kA, kB, "mulx %%rbx, %%rax, %%rax", 0),
      {"rorx32", ZYDIS_MNEMONIC_RORX, rorx(4, 13), SOFTVT_HOST_CODE("rorx $13, %%ecx, %%eax"), 0},
      {"rorx64", ZYDIS_MNEMONIC_RORX, rorx(8, 45), SOFTVT_HOST_CODE("rorx $45, %%rcx, %%rax"), 0},
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

}  // namespace
}  // namespace softvt::test
