// SDM 2B "SHLD—Double Precision Shift Left", "SHRD—Double Precision Shift Right".
//
// Undefined there, and here as current Intel processors do it: AF is 0; OF is that of a shift by 1;
// a 16-bit operand shifted by more than 16 gets its own bits again behind those of the source.
#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"

namespace softvt::insn {
namespace {

template <class T>
struct Shifted {
  T value;
  bool carry;
  bool overflow;
};

// first:second:first, from which both shifts cut a window. 64-bit counts never reach the third
// part.
template <class T>
u128 joined(T first, T second) {
  constexpr unsigned kWidth = kBits<T>;
  return u128{first} << (2 * kWidth) | u128{second} << kWidth | first;
}

struct Left {
  template <class T>
  static Shifted<T> shift(T v, T in, unsigned n) {
    const bool overflow = top_bit(v) != top_bit(static_cast<T>(v << 1));
    if constexpr (sizeof(T) == 8) {
      return {v << n | in >> (64 - n), ((v >> (64 - n)) & 1) != 0, overflow};
    } else {
      const u128 all = joined(v, in);
      return {static_cast<T>(all >> (2 * kBits<T> - n)), ((all >> (3 * kBits<T> - n)) & 1) != 0,
              overflow};
    }
  }
};

struct Right {
  template <class T>
  static Shifted<T> shift(T v, T in, unsigned n) {
    const bool overflow = top_bit(v) != ((in & 1) != 0);
    if constexpr (sizeof(T) == 8) {
      return {v >> n | in << (64 - n), ((v >> (n - 1)) & 1) != 0, overflow};
    } else {
      const u128 all = joined(v, in);
      return {static_cast<T>(all >> n), ((all >> (n - 1)) & 1) != 0, overflow};
    }
  }
};

unsigned shift_count(const Cpu& cpu, const Insn& in) {
  const bool by_cl = in.opcode == 0xa5 || in.opcode == 0xad;
  return by_cl ? get_reg<u8>(cpu, kCl) : static_cast<u8>(in.imm);
}

template <class Direction>
Step double_shift(Cpu& cpu, const Insn& in) {
  return for_word_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    Target<T> target;
    if (!target.open(cpu, in)) return Step::Fault;
    const unsigned count = shift_count(cpu, in) & (sizeof(T) == 8 ? 63 : 31);
    if (count == 0) {
      target.write(cpu, in, target.value());
      return Step::Next;
    }
    const Shifted<T> out =
        Direction::template shift<T>(target.value(), get_reg<T>(cpu, in.src), count);
    target.write(cpu, in, out.value);
    cpu.set_arithmetic_flags(result_flags(out.value) | flag_if(out.carry, rflags::CF) |
                             flag_if(out.overflow, rflags::OF));
    return Step::Next;
  });
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_SHLD, double_shift<Left>},
    {ZYDIS_MNEMONIC_SHRD, double_shift<Right>},
};

}  // namespace

std::span<const InsnRow> double_shift_rows() { return kRows; }

}  // namespace softvt::insn
