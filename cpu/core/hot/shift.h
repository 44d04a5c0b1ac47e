// Bodies of SHL, SHR and SAR.
#pragma once
#include <bit>

#include "cpu/core/hot/alu.h"

namespace softvt::hot {

template <class T>
constexpr unsigned kBits = sizeof(T) * 8;

struct OpShl {
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a, unsigned count) {
    const u64 wide = count <= kBits<T> ? u64{a} << (count - 1) : 0;  // last step still to do
    const T r = static_cast<T>(wide << 1);
    const u64 carry = wide >> (kBits<T> - 1) & 1;
    const u64 sign = static_cast<u64>(r) >> (kBits<T> - 1) & 1;
    set_cc(s, r, carry | (carry ^ sign) << 11, lazy::op_of<T>(lazy::Result));
    return r;
  }
};
struct OpShr {
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a, unsigned count) {
    const u64 wide = count <= kBits<T> ? u64{a} >> (count - 1) : 0;
    const T r = static_cast<T>(wide >> 1);
    const u64 overflow = count == 1 ? static_cast<u64>(a) >> (kBits<T> - 1) & 1 : 0;
    set_cc(s, r, (wide & 1) | overflow << 11, lazy::op_of<T>(lazy::Result));
    return r;
  }
};
struct OpSar {
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a, unsigned count) {
    const i64 wide = i64{static_cast<std::make_signed_t<T>>(a)} >> (count - 1);  // count - 1 <= 62
    const T r = static_cast<T>(wide >> 1);
    set_cc(s, r, static_cast<u64>(wide) & 1, lazy::op_of<T>(lazy::Result));
    return r;
  }
};

template <class T>
constexpr unsigned kCountMask = sizeof(T) == 8 ? 63 : 31;

template <class T, bool kCl>
SOFTVT_INLINE unsigned count_of(const State& s) {
  return static_cast<unsigned>(kCl ? reg<u8>(s, RCX * 8) : static_cast<u8>(s.ip->imm)) &
         kCountMask<T>;
}

// Results alone, where the flags are dead.
struct PlainShl {
  template <class T>
  SOFTVT_INLINE static T apply(State&, T a, unsigned count) {
    return count < kBits<T> ? static_cast<T>(a << count) : T{0};
  }
};
struct PlainShr {
  template <class T>
  SOFTVT_INLINE static T apply(State&, T a, unsigned count) {
    return count < kBits<T> ? static_cast<T>(a >> count) : T{0};
  }
};
struct PlainSar {
  template <class T>
  SOFTVT_INLINE static T apply(State&, T a, unsigned count) {
    return static_cast<T>(i64{static_cast<std::make_signed_t<T>>(a)} >> count);
  }
};
struct PlainRol {
  template <class T>
  SOFTVT_INLINE static T apply(State&, T a, unsigned count) {
    return std::rotl(a, static_cast<int>(count % kBits<T>));
  }
};
struct PlainRor {
  template <class T>
  SOFTVT_INLINE static T apply(State&, T a, unsigned count) {
    return std::rotr(a, static_cast<int>(count % kBits<T>));
  }
};

template <class Op, class T, bool kCl>
struct ShiftR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const unsigned count = count_of<T, kCl>(s);
    if (count != 0) {
      set_reg<T>(s, s.ip->dst, Op::template apply<T>(s, reg<T>(s, s.ip->dst), count));
    } else if constexpr (sizeof(T) == 4) {
      set_reg<T>(s, s.ip->dst, reg<T>(s, s.ip->dst));  // the upper half is cleared all the same
    }
    return R::Next;
  }
};
template <class Op, class T, bool kCl>
struct ShiftM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    u64 at;
    T a;
    if (!Mem::open(s, at, a)) return Mem::kFail;
    const unsigned count = count_of<T, kCl>(s);
    if (count != 0) Mem::close(s, at, Op::template apply<T>(s, a, count));
    return done<Mem>(s);
  }
};

}  // namespace softvt::hot
