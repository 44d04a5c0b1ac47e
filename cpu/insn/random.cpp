// SDM 2B "RDRAND—Read Random Number", "RDSEED—Read Random SEED". The numbers come from a generator
// with a fixed seed, so that runs repeat; they are no secret and no entropy.
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"
#include "cpu/sys/intercepted.h"

namespace softvt::insn {
namespace {

// A counter that advances by the golden ratio, mixed by xor-shifts and odd multipliers so that
// every bit of the state reaches every bit of the result.
u64 next_random(Cpu& cpu) {
  cpu.random_state += 0x9e3779b97f4a7c15;
  u64 v = cpu.random_state ^ (u64{cpu.index} << 48);  // vcpus differ
  v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
  v = (v ^ v >> 27) * 0x94d049bb133111eb;
  return v ^ v >> 31;
}

template <Intercept kIntercept>
Step random_number(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, kIntercept)) return intercepted_step(cpu);
  return for_word_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    put_reg<T>(cpu, in.dst, static_cast<T>(next_random(cpu)));
    cpu.set_arithmetic_flags(rflags::CF);  // the number is valid
    return Step::Next;
  });
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_RDRAND, random_number<Intercept::Rdrand>, Feature::Rdrand},
    {ZYDIS_MNEMONIC_RDSEED, random_number<Intercept::Rdseed>, Feature::Rdseed},
};

}  // namespace

std::span<const InsnRow> random_rows() { return kRows; }

}  // namespace softvt::insn
