// MUL, IMUL, DIV, IDIV, XADD, CMPXCHG, ADCX, ADOX against the host.
#include "tests/cpu/integer_host.h"

namespace softvt::test {
namespace {

constexpr u64 kProductUndefined = rflags::SF | rflags::ZF | rflags::AF | rflags::PF;

Insn imul3(unsigned size, u8 opcode, i64 imm) {
  Insn in = register_insn(size, opcode, kA, kC);
  in.imm = imm;
  return in;
}

TEST(IntegerArithmetic, ProductsAgreeWithHost) {
  constexpr auto kMul = ZYDIS_MNEMONIC_MUL, kImul = ZYDIS_MNEMONIC_IMUL;
  const HostCase cases[] = {
      {"mul cl", kMul, one_register_insn(1, 0xf6, kC), SOFTVT_HOST_CODE("mulb %%cl"),
       kProductUndefined},
      {"mul ch", kMul, one_register_insn(1, 0xf6, kHighC), SOFTVT_HOST_CODE("mulb %%ch"),
       kProductUndefined},
      {"mul cx", kMul, one_register_insn(2, 0xf7, kC), SOFTVT_HOST_CODE("mulw %%cx"),
       kProductUndefined},
      {"mul ecx", kMul, one_register_insn(4, 0xf7, kC), SOFTVT_HOST_CODE("mull %%ecx"),
       kProductUndefined},
      {"mul rdx", kMul, one_register_insn(8, 0xf7, kD), SOFTVT_HOST_CODE("mulq %%rdx"),
       kProductUndefined},
      {"imul cl", kImul, one_register_insn(1, 0xf6, kC), SOFTVT_HOST_CODE("imulb %%cl"),
       kProductUndefined},
      {"imul cx", kImul, one_register_insn(2, 0xf7, kC), SOFTVT_HOST_CODE("imulw %%cx"),
       kProductUndefined},
      {"imul ecx", kImul, one_register_insn(4, 0xf7, kC), SOFTVT_HOST_CODE("imull %%ecx"),
       kProductUndefined},
      {"imul rcx", kImul, one_register_insn(8, 0xf7, kC), SOFTVT_HOST_CODE("imulq %%rcx"),
       kProductUndefined},
      {"imul ax,cx", kImul, register_insn(2, 0xaf, kA, kC), SOFTVT_HOST_CODE("imulw %%cx, %%ax"),
       kProductUndefined},
      {"imul eax,ecx", kImul, register_insn(4, 0xaf, kA, kC),
       SOFTVT_HOST_CODE("imull %%ecx, %%eax"), kProductUndefined},
      {"imul rax,rcx", kImul, register_insn(8, 0xaf, kA, kC),
       SOFTVT_HOST_CODE("imulq %%rcx, %%rax"), kProductUndefined},
      {"imul rax,rcx,-5", kImul, imul3(8, 0x6b, -5), SOFTVT_HOST_CODE("imulq $-5, %%rcx, %%rax"),
       kProductUndefined},
      {"imul eax,ecx,70000", kImul, imul3(4, 0x69, 70000),
       SOFTVT_HOST_CODE("imull $70000, %%ecx, %%eax"), kProductUndefined},
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

TEST(IntegerArithmetic, QuotientsAgreeWithHost) {
  constexpr auto kDiv = ZYDIS_MNEMONIC_DIV, kIdiv = ZYDIS_MNEMONIC_IDIV;
  constexpr u64 kAll = rflags::Arithmetic;
  const HostCase cases[] = {
      {"div cl", kDiv, one_register_insn(1, 0xf6, kC), SOFTVT_HOST_CODE("divb %%cl"), kAll, true},
      {"div cx", kDiv, one_register_insn(2, 0xf7, kC), SOFTVT_HOST_CODE("divw %%cx"), kAll, true},
      {"div ecx", kDiv, one_register_insn(4, 0xf7, kC), SOFTVT_HOST_CODE("divl %%ecx"), kAll, true},
      {"div rcx", kDiv, one_register_insn(8, 0xf7, kC), SOFTVT_HOST_CODE("divq %%rcx"), kAll, true},
      {"idiv cl", kIdiv, one_register_insn(1, 0xf6, kC), SOFTVT_HOST_CODE("idivb %%cl"), kAll,
       true},
      {"idiv cx", kIdiv, one_register_insn(2, 0xf7, kC), SOFTVT_HOST_CODE("idivw %%cx"), kAll,
       true},
      {"idiv ecx", kIdiv, one_register_insn(4, 0xf7, kC), SOFTVT_HOST_CODE("idivl %%ecx"), kAll,
       true},
      {"idiv rcx", kIdiv, one_register_insn(8, 0xf7, kC), SOFTVT_HOST_CODE("idivq %%rcx"), kAll,
       true},
  };
  for (const HostCase& c : cases) compare_with_host(c, 20000);
}

struct DivisionCase {
  ZydisMnemonic mnemonic;
  u64 high, low, divisor;
  bool faults;
};

TEST(IntegerArithmetic, DivisionFaultsExactlyWhenTheQuotientDoesNotFit) {
  constexpr auto kDiv = ZYDIS_MNEMONIC_DIV, kIdiv = ZYDIS_MNEMONIC_IDIV;
  constexpr u64 kTop = u64{1} << 63, kMinus = ~u64{0};
  const DivisionCase cases[] = {
      {kDiv, 0, 5, 0, true},           {kDiv, 1, 0, 1, true},
      {kDiv, 1, 0, 2, false},          {kDiv, kMinus - 1, kMinus, kMinus, false},
      {kDiv, kMinus, 0, kMinus, true}, {kIdiv, 0, 0, 0, true},
      {kIdiv, kTop, 0, kMinus, true},  {kIdiv, kMinus, kTop, kMinus, true},
      {kIdiv, kMinus, kTop, 1, false}, {kIdiv, 0, kTop, 1, true},
      {kIdiv, 0, kTop, kMinus, false}, {kIdiv, 0, kTop - 1, 1, false},
  };
  auto cpu = std::make_unique<Cpu>();
  for (const DivisionCase& c : cases) {
    load(*cpu, {c.low, 0, c.divisor, c.high, 0});
    const Step step = function_of(c.mnemonic)(*cpu, one_register_insn(8, 0xf7, kC));
    EXPECT_EQ(step, c.faults ? Step::Fault : Step::Next) << c.high << ":" << c.low;
    if (c.faults) {
      EXPECT_EQ(cpu->fault.vector, static_cast<u8>(Vector::DE));
      EXPECT_EQ(cpu->r[RAX], c.low);
      EXPECT_EQ(cpu->r[RDX], c.high);
    }
  }
}

TEST(IntegerArithmetic, ExchangesAgreeWithHost) {
  const HostCase cases[] = {
      {"xadd al,cl", ZYDIS_MNEMONIC_XADD, register_insn(1, 0xc0, kA, kC),
       SOFTVT_HOST_CODE("xaddb %%cl, %%al")},
      {"xadd al,ah", ZYDIS_MNEMONIC_XADD, register_insn(1, 0xc0, kA, kHighA),
       SOFTVT_HOST_CODE("xaddb %%ah, %%al")},
      {"xadd eax,ecx", ZYDIS_MNEMONIC_XADD, register_insn(4, 0xc1, kA, kC),
       SOFTVT_HOST_CODE("xaddl %%ecx, %%eax")},
      {"xadd rax,rax", ZYDIS_MNEMONIC_XADD, register_insn(8, 0xc1, kA, kA),
       SOFTVT_HOST_CODE("xaddq %%rax, %%rax")},
      {"xchg eax,ecx", ZYDIS_MNEMONIC_XCHG, register_insn(4, 0x87, kA, kC),
       SOFTVT_HOST_CODE("xchgl %%ecx, %%eax")},
      {"xchg ah,cl", ZYDIS_MNEMONIC_XCHG, register_insn(1, 0x86, kHighA, kC),
       SOFTVT_HOST_CODE("xchgb %%cl, %%ah")},
      {"cmpxchg ecx,edx", ZYDIS_MNEMONIC_CMPXCHG, register_insn(4, 0xb1, kC, kD),
       SOFTVT_HOST_CODE("cmpxchgl %%edx, %%ecx")},
      {"cmpxchg cl,dl", ZYDIS_MNEMONIC_CMPXCHG, register_insn(1, 0xb0, kC, kD),
       SOFTVT_HOST_CODE("cmpxchgb %%dl, %%cl")},
      {"cmpxchg rcx,rdx", ZYDIS_MNEMONIC_CMPXCHG, register_insn(8, 0xb1, kC, kD),
       SOFTVT_HOST_CODE("cmpxchgq %%rdx, %%rcx")},
      {"bswap eax", ZYDIS_MNEMONIC_BSWAP, one_register_insn(4, 0xc8, kA),
       SOFTVT_HOST_CODE("bswap %%eax")},
      {"bswap rax", ZYDIS_MNEMONIC_BSWAP, one_register_insn(8, 0xc8, kA),
       SOFTVT_HOST_CODE("bswap %%rax")},
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

TEST(IntegerArithmetic, CarryChainsAgreeWithHost) {
  if (!__builtin_cpu_supports("adx")) GTEST_SKIP() << "the host has no ADX";
  const HostCase cases[] = {
      {"adcx eax,ecx", ZYDIS_MNEMONIC_ADCX, register_insn(4, 0xf6, kA, kC),
       SOFTVT_HOST_CODE("adcxl %%ecx, %%eax")},
      {"adcx rax,rcx", ZYDIS_MNEMONIC_ADCX, register_insn(8, 0xf6, kA, kC),
       SOFTVT_HOST_CODE("adcxq %%rcx, %%rax")},
      {"adox eax,ecx", ZYDIS_MNEMONIC_ADOX, register_insn(4, 0xf6, kA, kC),
       SOFTVT_HOST_CODE("adoxl %%ecx, %%eax")},
      {"adox rax,rcx", ZYDIS_MNEMONIC_ADOX, register_insn(8, 0xf6, kA, kC),
       SOFTVT_HOST_CODE("adoxq %%rcx, %%rax")},
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

TEST(IntegerArithmetic, FlagInstructionsAgreeWithHost) {
  const HostCase cases[] = {
      {"lahf", ZYDIS_MNEMONIC_LAHF, Insn{}, SOFTVT_HOST_CODE("lahf")},
      {"sahf", ZYDIS_MNEMONIC_SAHF, Insn{}, SOFTVT_HOST_CODE("sahf")},
      {"clc", ZYDIS_MNEMONIC_CLC, Insn{}, SOFTVT_HOST_CODE("clc")},
      {"stc", ZYDIS_MNEMONIC_STC, Insn{}, SOFTVT_HOST_CODE("stc")},
      {"cmc", ZYDIS_MNEMONIC_CMC, Insn{}, SOFTVT_HOST_CODE("cmc")},
  };
  for (const HostCase& c : cases) compare_with_host(c, 200);
}

}  // namespace
}  // namespace softvt::test
