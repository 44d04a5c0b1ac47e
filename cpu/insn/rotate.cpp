// SDM 2B "RCL/RCR/ROL/ROR—Rotate".
//
// OF is defined for a count of 1 only. For other counts current Intel processors give it the value
// that a rotation by 1 would have given, but leave it alone in ROL and ROR by an immediate count;
// so does this.
#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"

namespace softvt::insn {
namespace {

template <class T>
struct Rotation {
  T value;
  bool carry;
  bool overflow;
};

template <class T>
bool top_two_differ(T v) {
  return top_bit(v) != top_bit(static_cast<T>(v << 1));
}

// kPeriod is the count from which on flags and value are as after a rotation by 0: RCL and RCR by 9
// of a byte change nothing, while ROL by 8 still sets CF.
struct Rol {
  static constexpr bool kImmediateKeepsOverflow = true;
  template <class T>
  static constexpr unsigned kPeriod = 64;
  template <class T>
  static Rotation<T> rotate(T v, unsigned count, bool) {
    const unsigned n = count % kBits<T>;
    const T out = n ? static_cast<T>(v << n | v >> (kBits<T> - n)) : v;
    return {out, (out & 1) != 0, top_two_differ(v)};
  }
};

struct Ror {
  static constexpr bool kImmediateKeepsOverflow = true;
  template <class T>
  static constexpr unsigned kPeriod = 64;
  template <class T>
  static Rotation<T> rotate(T v, unsigned count, bool) {
    const unsigned n = count % kBits<T>;
    const T out = n ? static_cast<T>(v >> n | v << (kBits<T> - n)) : v;
    return {out, top_bit(out), top_bit(v) != ((v & 1) != 0)};
  }
};

// CF is one bit more above the operand; all rotate together to the left by `n`.
template <class T>
Rotation<T> rotate_with_carry(T v, unsigned n, bool carry, bool overflow) {
  constexpr unsigned kWidth = kBits<T> + 1;
  const u128 wide = u128{carry} << kBits<T> | v;
  const u128 out = n ? wide << n | wide >> (kWidth - n) : wide;
  return {static_cast<T>(out), ((out >> kBits<T>)&1) != 0, overflow};
}

struct Rcl {
  static constexpr bool kImmediateKeepsOverflow = false;
  template <class T>
  static constexpr unsigned kPeriod = kBits<T> + 1;
  template <class T>
  static Rotation<T> rotate(T v, unsigned count, bool carry) {
    return rotate_with_carry(v, count % (kBits<T> + 1), carry, top_two_differ(v));
  }
};

struct Rcr {
  static constexpr bool kImmediateKeepsOverflow = false;
  template <class T>
  static constexpr unsigned kPeriod = kBits<T> + 1;
  template <class T>
  static Rotation<T> rotate(T v, unsigned count, bool carry) {
    constexpr unsigned kWidth = kBits<T> + 1;
    return rotate_with_carry(v, (kWidth - count % kWidth) % kWidth, carry, top_bit(v) != carry);
  }
};

unsigned rotate_count(const Cpu& cpu, const Insn& in) {
  switch (in.opcode) {
    case 0xd0:
    case 0xd1:
      return 1;
    case 0xd2:
    case 0xd3:
      return get_reg<u8>(cpu, kCl);
    default:
      return static_cast<u8>(in.imm);
  }
}

template <class Kind>
Step rotate(Cpu& cpu, const Insn& in) {
  return for_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    Target<T> target;
    if (!target.open(cpu, in)) return Step::Fault;
    const unsigned count = rotate_count(cpu, in) & (sizeof(T) == 8 ? 63 : 31);
    if (count % Kind::template kPeriod<T> == 0) {
      target.write(cpu, in, target.value());
      return Step::Next;
    }
    const bool carry = lazy::carry(cpu.cc_dst, cpu.cc_src, cpu.cc_op);
    const Rotation<T> out = Kind::template rotate<T>(target.value(), count, carry);
    target.write(cpu, in, out.value);
    const bool keeps_overflow = Kind::kImmediateKeepsOverflow && in.opcode < 0xd0 && count != 1;
    change_flags(cpu, keeps_overflow ? rflags::CF : rflags::CF | rflags::OF,
                 flag_if(out.carry, rflags::CF) | flag_if(out.overflow, rflags::OF));
    return Step::Next;
  });
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_ROL, rotate<Rol>},
    {ZYDIS_MNEMONIC_ROR, rotate<Ror>},
    {ZYDIS_MNEMONIC_RCL, rotate<Rcl>},
    {ZYDIS_MNEMONIC_RCR, rotate<Rcr>},
};

}  // namespace

std::span<const InsnRow> rotate_rows() { return kRows; }

}  // namespace softvt::insn
