// The sixteen conditions of Jcc, SETcc and CMOVcc. SDM 1 appendix B "EFLAGS Condition Codes".
#pragma once
#include "cpu/core/hot/alu.h"

namespace softvt::hot {

enum class Cond : u8 { O, NO, B, NB, Z, NZ, BE, NBE, S, NS, P, NP, L, NL, LE, NLE };

// After a compare of `a` with `b` whose result is `d`.
template <Cond C, class T>
SOFTVT_INLINE bool compare_holds(T a, T b) {
  using I = std::make_signed_t<T>;
  const T d = static_cast<T>(a - b);
  switch (C) {
    case Cond::B:
      return a < b;
    case Cond::NB:
      return a >= b;
    case Cond::Z:
      return a == b;
    case Cond::NZ:
      return a != b;
    case Cond::BE:
      return a <= b;
    case Cond::NBE:
      return a > b;
    case Cond::S:
      return static_cast<I>(d) < 0;
    case Cond::NS:
      return static_cast<I>(d) >= 0;
    case Cond::L:
      return static_cast<I>(a) < static_cast<I>(b);
    case Cond::NL:
      return static_cast<I>(a) >= static_cast<I>(b);
    case Cond::LE:
      return static_cast<I>(a) <= static_cast<I>(b);
    case Cond::NLE:
      return static_cast<I>(a) > static_cast<I>(b);
    default:
      return false;
  }
}

// SF of any kind of lazy flags.
SOFTVT_INLINE bool sign_flag(const State& s) {
  if ((s.cc_op >> 2) == lazy::Explicit) return (s.cc_src & rflags::SF) != 0;
  return (s.cc_dst >> ((8u << (s.cc_op & 3)) - 1) & 1) != 0;
}
// OF of any kind.
SOFTVT_INLINE bool overflow_flag(const State& s) {
  const u64 kind = s.cc_op >> 2;
  const unsigned top = (8u << (s.cc_op & 3)) - 1;
  const u64 sign = u64{1} << top;
  if (kind == lazy::Sub) {
    const u64 b = s.cc_src - s.cc_dst;
    return ((s.cc_src ^ b) & (s.cc_src ^ s.cc_dst) & sign) != 0;
  }
  if (kind == lazy::Add) {
    const u64 a = s.cc_dst - s.cc_src;
    return ((a ^ s.cc_dst) & (s.cc_src ^ s.cc_dst) & sign) != 0;
  }
  if (kind == lazy::Inc) return s.cc_dst == sign;
  if (kind == lazy::Dec) return s.cc_dst == sign - 1;
  return (s.cc_src & rflags::OF) != 0;
}

SOFTVT_INLINE bool parity_flag(const State& s) {
  if ((s.cc_op >> 2) == lazy::Explicit) return (s.cc_src & rflags::PF) != 0;
  return lazy::parity(s.cc_dst);
}

template <Cond C>
SOFTVT_INLINE bool holds(const State& s) {
  constexpr bool kInvert = (static_cast<unsigned>(C) & 1) != 0;
  bool v = false;
  switch (static_cast<Cond>(static_cast<unsigned>(C) & ~1u)) {
    case Cond::O:
      v = overflow_flag(s);
      break;
    case Cond::B:
      v = lazy::carry(s.cc_dst, s.cc_src, s.cc_op);
      break;
    case Cond::Z:
      v = s.cc_dst == 0;
      break;
    case Cond::BE:
      v = s.cc_dst == 0 || lazy::carry(s.cc_dst, s.cc_src, s.cc_op);
      break;
    case Cond::S:
      v = sign_flag(s);
      break;
    case Cond::P:
      v = parity_flag(s);
      break;
    case Cond::L:
      v = sign_flag(s) != overflow_flag(s);
      break;
    case Cond::LE:
      v = s.cc_dst == 0 || sign_flag(s) != overflow_flag(s);
      break;
    default:
      break;
  }
  return v != kInvert;
}

// The condition of a conditional mnemonic, or -1. The mnemonics of one family are rows.
int condition_of_jcc(ZydisMnemonic m);
int condition_of_setcc(ZydisMnemonic m);
int condition_of_cmovcc(ZydisMnemonic m);

// Calls f.template operator()<C>() with the condition as a constant.
template <class F>
Bound by_condition(int condition, F f) {
  switch (static_cast<Cond>(condition)) {
    case Cond::O:
      return f.template operator()<Cond::O>();
    case Cond::NO:
      return f.template operator()<Cond::NO>();
    case Cond::B:
      return f.template operator()<Cond::B>();
    case Cond::NB:
      return f.template operator()<Cond::NB>();
    case Cond::Z:
      return f.template operator()<Cond::Z>();
    case Cond::NZ:
      return f.template operator()<Cond::NZ>();
    case Cond::BE:
      return f.template operator()<Cond::BE>();
    case Cond::NBE:
      return f.template operator()<Cond::NBE>();
    case Cond::S:
      return f.template operator()<Cond::S>();
    case Cond::NS:
      return f.template operator()<Cond::NS>();
    case Cond::P:
      return f.template operator()<Cond::P>();
    case Cond::NP:
      return f.template operator()<Cond::NP>();
    case Cond::L:
      return f.template operator()<Cond::L>();
    case Cond::NL:
      return f.template operator()<Cond::NL>();
    case Cond::LE:
      return f.template operator()<Cond::LE>();
    case Cond::NLE:
      return f.template operator()<Cond::NLE>();
  }
  return {};
}

}  // namespace softvt::hot
