// Bodies of IMUL with two and three operands.
#pragma once
#include "cpu/core/hot/alu.h"

namespace softvt::hot {

template <class T>
SOFTVT_INLINE T product(State& s, T a, T b) {
  using Signed = std::make_signed_t<T>;
  Signed r;
  const bool lost = __builtin_mul_overflow(static_cast<Signed>(a), static_cast<Signed>(b), &r);
  set_cc(s, static_cast<T>(r), lost ? rflags::CF | rflags::OF : 0, lazy::op_of<T>(lazy::Result));
  return static_cast<T>(r);
}

template <class T>
SOFTVT_INLINE T plain_product(T a, T b) {
  return static_cast<T>(u64{a} * u64{b});
}

// kPlain: the flags are dead.
template <class T, bool kImmediate, bool kPlain = false>
struct ImulR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const T b = kImmediate ? immediate<T>(s) : reg<T>(s, s.ip->dst);
    const T a = reg<T>(s, s.ip->src);
    set_reg<T>(s, s.ip->dst, kPlain ? plain_product<T>(a, b) : product<T>(s, a, b));
    return R::Next;
  }
};
template <class T, bool kImmediate>
struct ImulM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    T a;
    if (!Mem::load(s, a)) return Mem::kFail;
    const T b = kImmediate ? immediate<T>(s) : reg<T>(s, s.ip->dst);
    set_reg<T>(s, s.ip->dst, product<T>(s, a, b));
    return done<Mem>(s);
  }
};

}  // namespace softvt::hot
