// SDM 2A "DIV—Unsigned Divide", "IDIV—Signed Divide". The flags are undefined there; current Intel
// processors leave them alone.
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"
#include "cpu/insn/wide.h"

namespace softvt::insn {
namespace {

// AX for byte operands, else rDX:rAX.
template <class T>
Wide<T> dividend(const Cpu& cpu) {
  if constexpr (sizeof(T) == 1) {
    return get_reg<u16>(cpu, kAx);
  } else {
    return static_cast<Wide<T>>(Wide<T>{get_reg<T>(cpu, kDx)} << kBits<T> | get_reg<T>(cpu, kAx));
  }
}

template <class T>
void put_results(Cpu& cpu, T quotient, T remainder) {
  put_reg<T>(cpu, kAx, quotient);
  put_reg<T>(cpu, sizeof(T) == 1 ? kAh : kDx, remainder);
}

Step div(Cpu& cpu, const Insn& in) {
  return for_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    T divisor;
    if (!fetch(cpu, in, in.dst, divisor)) return Step::Fault;
    const Wide<T> value = dividend<T>(cpu);
    // The quotient fits exactly when the upper half of the dividend is below the divisor.
    if (static_cast<T>(value >> kBits<T>) >= divisor) return cpu.raise(Vector::DE);
    put_results<T>(cpu, static_cast<T>(value / divisor), static_cast<T>(value % divisor));
    return Step::Next;
  });
}

template <class W>
W negate_if(bool negative, W v) {
  return negative ? static_cast<W>(W{0} - v) : v;
}

Step idiv(Cpu& cpu, const Insn& in) {
  return for_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    using W = Wide<T>;
    T divisor;
    if (!fetch(cpu, in, in.dst, divisor)) return Step::Fault;
    if (divisor == 0) return cpu.raise(Vector::DE);
    // On magnitudes, since the most negative dividend by -1 is undefined for signed types.
    const W value = dividend<T>(cpu);
    const bool minus = top_bit(value), negative = minus != top_bit(divisor);
    const W magnitude = negate_if(minus, value);
    const T by = negate_if(top_bit(divisor), divisor);
    const W quotient = static_cast<W>(magnitude / by);
    const W largest = static_cast<W>((W{1} << (kBits<T> - 1)) - (negative ? 0 : 1));
    if (quotient > largest) return cpu.raise(Vector::DE);
    // The remainder has the sign of the dividend.
    put_results<T>(cpu, negate_if(negative, static_cast<T>(quotient)),
                   negate_if(minus, static_cast<T>(magnitude % by)));
    return Step::Next;
  });
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_DIV, div},
    {ZYDIS_MNEMONIC_IDIV, idiv},
};

}  // namespace

std::span<const InsnRow> divide_rows() { return kRows; }

}  // namespace softvt::insn
