// SDM 2A "BSWAP—Byte Swap", SDM 2B "MOVBE—Move Data After Swapping Bytes".
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"

namespace softvt::insn {
namespace {

template <class T>
T swapped(T v) {
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(v);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(v);
  return static_cast<T>(__builtin_bswap64(v));
}

Step bswap(Cpu& cpu, const Insn& in) {
  if (in.opsize == 2) {
    put_reg<u16>(cpu, in.dst, 0);  // undefined in the manual; what Intel processors do
    return Step::Next;
  }
  return for_dword_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    put_reg<T>(cpu, in.dst, swapped(get_reg<T>(cpu, in.dst)));
    return Step::Next;
  });
}

Step movbe(Cpu& cpu, const Insn& in) {
  return for_word_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    if (in.form == Form::MR) {
      return store_operand<T>(cpu, in, swapped(get_reg<T>(cpu, in.src))) ? Step::Next : Step::Fault;
    }
    T value;
    if (!load_operand(cpu, in, value)) return Step::Fault;
    put_reg<T>(cpu, in.dst, swapped(value));
    return Step::Next;
  });
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_BSWAP, bswap},
    {ZYDIS_MNEMONIC_MOVBE, movbe, Feature::Movbe},
};

}  // namespace

std::span<const InsnRow> byte_order_rows() { return kRows; }

}  // namespace softvt::insn
