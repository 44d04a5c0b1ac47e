// ROL, ROR, RCL, RCR, SHLD, SHRD against the host.
#include "tests/cpu/integer_host.h"

namespace softvt::test {
namespace {

constexpr u64 kOf = rflags::OF, kOfAf = rflags::OF | rflags::AF;

#define ROTATE_CASES(name, mnemonic)                                                               \
  {name " al,cl", mnemonic, register_insn(1, 0xd2, kA, 0, kC),                                     \
   SOFTVT_HOST_CODE(name "b %%cl, %%al"), kOf},                                                    \
      {name " ah,cl", mnemonic, register_insn(1, 0xd2, kHighA, 0, kC),                             \
       SOFTVT_HOST_CODE(name "b %%cl, %%ah"), kOf},                                                \
      {name " ax,cl", mnemonic, register_insn(2, 0xd3, kA, 0, kC),                                 \
       SOFTVT_HOST_CODE(name "w %%cl, %%ax"), kOf},                                                \
      {name " eax,cl", mnemonic, register_insn(4, 0xd3, kA, 0, kC),                                \
       SOFTVT_HOST_CODE(name "l %%cl, %%eax"), kOf},                                               \
      {name " rax,cl", mnemonic, register_insn(8, 0xd3, kA, 0, kC),                                \
       SOFTVT_HOST_CODE(name "q %%cl, %%rax"), kOf},                                               \
      {name " rax,1", mnemonic, immediate_insn(8, 0xd1, kA, 1),                                    \
       SOFTVT_HOST_CODE(name "q $1, %%rax")},                                                      \
      {name " ax,1", mnemonic, immediate_insn(2, 0xd1, kA, 1),                                     \
       SOFTVT_HOST_CODE(name "w $1, %%ax")},                                                       \
  {                                                                                                \
    name " eax,7", mnemonic, immediate_insn(4, 0xc1, kA, 7), SOFTVT_HOST_CODE(name "l $7, %%eax"), \
        kOf                                                                                        \
  }

TEST(IntegerShift, RotatesAgreeWithHost) {
  const HostCase cases[] = {
      ROTATE_CASES("rol", ZYDIS_MNEMONIC_ROL),
      ROTATE_CASES("ror", ZYDIS_MNEMONIC_ROR),
      ROTATE_CASES("rcl", ZYDIS_MNEMONIC_RCL),
      ROTATE_CASES("rcr", ZYDIS_MNEMONIC_RCR),
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

Insn double_shift_immediate(unsigned size, u8 opcode, i64 count) {
  Insn in = register_insn(size, opcode, kA, kD);
  in.imm = count;
  return in;
}

#define DOUBLE_SHIFT_CASES(name, mnemonic, opcode)                             \
  {name " eax,edx,cl", mnemonic, register_insn(4, opcode + 1, kA, kD, kC),     \
   SOFTVT_HOST_CODE(name "l %%cl, %%edx, %%eax"), kOfAf},                      \
      {name " rax,rdx,cl", mnemonic, register_insn(8, opcode + 1, kA, kD, kC), \
       SOFTVT_HOST_CODE(name "q %%cl, %%rdx, %%rax"), kOfAf},                  \
      {name " ax,dx,1", mnemonic, double_shift_immediate(2, opcode, 1),        \
       SOFTVT_HOST_CODE(name "w $1, %%dx, %%ax"), rflags::AF},                 \
      {name " ax,dx,16", mnemonic, double_shift_immediate(2, opcode, 16),      \
       SOFTVT_HOST_CODE(name "w $16, %%dx, %%ax"), kOfAf},                     \
  {                                                                            \
    name " eax,edx,1", mnemonic, double_shift_immediate(4, opcode, 1),         \
        SOFTVT_HOST_CODE(name "l $1, %%edx, %%eax"), rflags::AF                \
  }

TEST(IntegerShift, DoubleShiftsAgreeWithHost) {
  const HostCase cases[] = {
      DOUBLE_SHIFT_CASES("shld", ZYDIS_MNEMONIC_SHLD, 0xa4),
      DOUBLE_SHIFT_CASES("shrd", ZYDIS_MNEMONIC_SHRD, 0xac),
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

// Counts above 16 leave the result undefined; this is what Intel processors give.
TEST(IntegerShift, DoubleShiftOfWordsBeyondTheirSize) {
  if (!std::getenv("SOFTVT_TEST_UNDEFINED_FLAGS")) GTEST_SKIP();
  const HostCase cases[] = {
      {"shld ax,dx,cl", ZYDIS_MNEMONIC_SHLD, register_insn(2, 0xa5, kA, kD, kC),
       SOFTVT_HOST_CODE("shldw %%cl, %%dx, %%ax")},
      {"shrd ax,dx,cl", ZYDIS_MNEMONIC_SHRD, register_insn(2, 0xad, kA, kD, kC),
       SOFTVT_HOST_CODE("shrdw %%cl, %%dx, %%ax")},
  };
  for (const HostCase& c : cases) compare_with_host(c);
}

}  // namespace
}  // namespace softvt::test
