// Bodies of MOV, MOVZX, MOVSX, MOVSXD and LEA.
#pragma once
#include "cpu/core/hot/alu.h"

namespace softvt::hot {

template <class T>
struct MovRR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_reg<T>(s, s.ip->dst, reg<T>(s, s.ip->src));
    return R::Next;
  }
};
template <class T>
struct MovRI {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_reg<T>(s, s.ip->dst, immediate<T>(s));
    return R::Next;
  }
};
template <class T>
struct MovRM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    T v;
    if (!Mem::load(s, v)) return Mem::kFail;
    set_reg<T>(s, s.ip->dst, v);
    return done<Mem>(s);
  }
};
template <class T>
struct MovMR {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    if (!Mem::store(s, reg<T>(s, s.ip->src))) return Mem::kFail;
    return done<Mem>(s);
  }
};
template <class T>
struct MovMI {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    if (!Mem::store(s, immediate<T>(s))) return Mem::kFail;
    return done<Mem>(s);
  }
};

// To (destination type) and From may be signed for MOVSX.
template <class To, class From>
struct ExtendRR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_reg<std::make_unsigned_t<To>>(
        s, s.ip->dst,
        static_cast<std::make_unsigned_t<To>>(static_cast<To>(reg<From>(s, s.ip->src))));
    return R::Next;
  }
};
template <class To, class From>
struct ExtendRM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    std::make_unsigned_t<From> v;
    if (!Mem::load(s, v)) return Mem::kFail;
    set_reg<std::make_unsigned_t<To>>(
        s, s.ip->dst, static_cast<std::make_unsigned_t<To>>(static_cast<To>(static_cast<From>(v))));
    return done<Mem>(s);
  }
};

template <class T>
struct LeaFull64 {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_reg<T>(s, s.ip->dst,
               static_cast<T>(reg<u64>(s, s.ip->base) + (reg<u64>(s, s.ip->idx) << s.ip->scale) +
                              static_cast<u64>(i64{s.ip->disp})));
    return R::Next;
  }
};
template <class T>
struct LeaBaseDisp {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_reg<T>(s, s.ip->dst, static_cast<T>(BaseDisp::address(s)));
    return R::Next;
  }
};
template <class T>
struct LeaAny {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_reg<T>(s, s.ip->dst, static_cast<T>(effective_address(*s.cpu, *s.ip)));
    return R::Next;
  }
};

}  // namespace softvt::hot
