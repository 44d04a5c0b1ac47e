// SDM 2A "IMUL—Signed Multiply", SDM 2B "MUL—Unsigned Multiply".
//
// ZF, SF, AF and PF are undefined there. Current Intel processors give SF and PF of the lower half
// and clear ZF and AF.
#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"
#include "cpu/insn/wide.h"

namespace softvt::insn {
namespace {

template <class T>
void set_product_flags(Cpu& cpu, T low, bool overflow) {
  cpu.set_arithmetic_flags((result_flags(low) & (rflags::SF | rflags::PF)) |
                           flag_if(overflow, rflags::CF | rflags::OF));
}

// The product of AX = AL * operand or rDX:rAX = rAX * operand.
template <class T>
void put_product(Cpu& cpu, Wide<T> product) {
  if constexpr (sizeof(T) == 1) {
    put_reg<u16>(cpu, kAx, product);
  } else {
    put_reg<T>(cpu, kAx, static_cast<T>(product));
    put_reg<T>(cpu, kDx, static_cast<T>(product >> kBits<T>));
  }
}

template <class T>
SignedWide<T> signed_product(T a, T b) {
  return static_cast<SignedWide<T>>(SignedWide<T>{static_cast<Signed<T>>(a)} *
                                    static_cast<Signed<T>>(b));
}

template <class T>
bool exceeds(SignedWide<T> product) {
  return product != static_cast<Signed<T>>(product);
}

Step mul(Cpu& cpu, const Insn& in) {
  return for_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    T operand;
    if (!fetch(cpu, in, in.dst, operand)) return Step::Fault;
    const Wide<T> product = static_cast<Wide<T>>(Wide<T>{get_reg<T>(cpu, kAx)} * operand);
    put_product<T>(cpu, product);
    set_product_flags(cpu, static_cast<T>(product), (product >> kBits<T>) != 0);
    return Step::Next;
  });
}

template <class T>
Step imul_accumulator(Cpu& cpu, const Insn& in) {
  T operand;
  if (!fetch(cpu, in, in.dst, operand)) return Step::Fault;
  const SignedWide<T> product = signed_product(get_reg<T>(cpu, kAx), operand);
  put_product<T>(cpu, static_cast<Wide<T>>(product));
  set_product_flags(cpu, static_cast<T>(product), exceeds<T>(product));
  return Step::Next;
}

template <class T>
Step imul_register(Cpu& cpu, const Insn& in, bool immediate) {
  T operand;
  if (!fetch(cpu, in, in.src, operand)) return Step::Fault;
  const T factor = immediate ? static_cast<T>(in.imm) : get_reg<T>(cpu, in.dst);
  const SignedWide<T> product = signed_product(operand, factor);
  put_reg<T>(cpu, in.dst, static_cast<T>(product));
  set_product_flags(cpu, static_cast<T>(product), exceeds<T>(product));
  return Step::Next;
}

Step imul(Cpu& cpu, const Insn& in) {
  return for_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    switch (in.opcode) {
      case 0xaf:
        return imul_register<T>(cpu, in, false);
      case 0x69:
      case 0x6b:
        return imul_register<T>(cpu, in, true);
      default:
        return imul_accumulator<T>(cpu, in);
    }
  });
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_MUL, mul},
    {ZYDIS_MNEMONIC_IMUL, imul},
};

}  // namespace

std::span<const InsnRow> multiply_rows() { return kRows; }

}  // namespace softvt::insn
