// Bodies of one-operand arithmetic and of the sign extensions.
#pragma once
#include "cpu/core/hot/alu.h"

namespace softvt::hot {

struct OpInc {
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a) {
    const T r = static_cast<T>(a + 1);
    set_cc(s, r, lazy::carry(s.cc_dst, s.cc_src, s.cc_op), lazy::op_of<T>(lazy::Inc));
    return r;
  }
};
struct OpDec {
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a) {
    const T r = static_cast<T>(a - 1);
    set_cc(s, r, lazy::carry(s.cc_dst, s.cc_src, s.cc_op), lazy::op_of<T>(lazy::Dec));
    return r;
  }
};
// Where the flags are dead, so the old CF need not be worked out.
struct PlainInc {
  template <class T>
  SOFTVT_INLINE static T apply(State&, T a) {
    return static_cast<T>(a + 1);
  }
};
struct PlainDec {
  template <class T>
  SOFTVT_INLINE static T apply(State&, T a) {
    return static_cast<T>(a - 1);
  }
};
struct OpNeg {
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a) {
    return OpSub::apply<T>(s, T{0}, a);
  }
};
struct OpNot {
  template <class T>
  SOFTVT_INLINE static T apply(State&, T a) {
    return static_cast<T>(~a);
  }
};

template <class Op, class T>
struct UnaryR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_reg<T>(s, s.ip->dst, Op::template apply<T>(s, reg<T>(s, s.ip->dst)));
    return R::Next;
  }
};
template <class Op, class T>
struct UnaryM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    u64 at;
    T a;
    if (!Mem::open(s, at, a)) return Mem::kFail;
    Mem::close(s, at, Op::template apply<T>(s, a));
    return done<Mem>(s);
  }
};

// CBW, CWDE, CDQE: the accumulator's lower half, sign-extended into all of it.
template <class To, class From>
struct ExtendAccumulator {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_reg<To>(s, RAX, static_cast<To>(static_cast<std::make_signed_t<To>>(reg<From>(s, RAX))));
    return R::Next;
  }
};
// CWD, CDQ, CQO: the accumulator's sign in all of rDX.
template <class T>
struct SignIntoDx {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const auto a = static_cast<std::make_signed_t<T>>(reg<T>(s, RAX));
    set_reg<T>(s, RDX * 8, static_cast<T>(a < 0 ? -1 : 0));
    return R::Next;
  }
};

}  // namespace softvt::hot
