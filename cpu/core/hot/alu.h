// The operations of two-operand arithmetic and the bodies for their operand forms.
#pragma once
#include "cpu/core/hot/bind.h"

namespace softvt::hot {

SOFTVT_INLINE void set_cc(State& s, u64 dst, u64 src, u64 op) {
  s.cc_dst = dst;
  s.cc_src = src;
  s.cc_op = op;
}

template <class T>
SOFTVT_INLINE u64 overflow_bit(T sign_source) {
  return static_cast<u64>(sign_source >> (sizeof(T) * 8 - 1) & 1) << 11;
}

struct OpAdd {
  static constexpr bool kWrites = true;
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a, T b) {
    const T r = static_cast<T>(a + b);
    set_cc(s, r, b, lazy::op_of<T>(lazy::Add));
    return r;
  }
};
struct OpSub {
  static constexpr bool kWrites = true;
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a, T b) {
    const T r = static_cast<T>(a - b);
    set_cc(s, r, a, lazy::op_of<T>(lazy::Sub));
    return r;
  }
};
struct OpCmp : OpSub {
  static constexpr bool kWrites = false;
};
struct OpAdc {
  static constexpr bool kWrites = true;
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a, T b) {
    const bool c = lazy::carry(s.cc_dst, s.cc_src, s.cc_op);
    const T r = static_cast<T>(a + b + c);
    const bool carry = c ? r <= a : r < a;
    set_cc(s, r,
           u64{carry} | ((a ^ b ^ r) & rflags::AF) |
               overflow_bit<T>(static_cast<T>((a ^ r) & (b ^ r))),
           lazy::op_of<T>(lazy::Result));
    return r;
  }
};
struct OpSbb {
  static constexpr bool kWrites = true;
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a, T b) {
    const bool c = lazy::carry(s.cc_dst, s.cc_src, s.cc_op);
    const T r = static_cast<T>(a - b - c);
    const bool borrow = c ? a <= b : a < b;
    set_cc(s, r,
           u64{borrow} | ((a ^ b ^ r) & rflags::AF) |
               overflow_bit<T>(static_cast<T>((a ^ b) & (a ^ r))),
           lazy::op_of<T>(lazy::Result));
    return r;
  }
};
template <class T>
SOFTVT_INLINE T logic_result(State& s, T r) {
  set_cc(s, r, 0, lazy::op_of<T>(lazy::Result));
  return r;
}
struct OpAnd {
  static constexpr bool kWrites = true;
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a, T b) {
    return logic_result<T>(s, a & b);
  }
};
struct OpTest : OpAnd {
  static constexpr bool kWrites = false;
};
struct OpOr {
  static constexpr bool kWrites = true;
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a, T b) {
    return logic_result<T>(s, a | b);
  }
};
struct OpXor {
  static constexpr bool kWrites = true;
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a, T b) {
    return logic_result<T>(s, a ^ b);
  }
};

template <class T>
SOFTVT_INLINE T immediate(const State& s) {
  return static_cast<T>(s.ip->imm);
}

template <class Op, class T>
struct AluRR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const T r = Op::template apply<T>(s, reg<T>(s, s.ip->dst), reg<T>(s, s.ip->src));
    if constexpr (Op::kWrites) set_reg<T>(s, s.ip->dst, r);
    return R::Next;
  }
};
template <class Op, class T>
struct AluRI {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const T r = Op::template apply<T>(s, reg<T>(s, s.ip->dst), immediate<T>(s));
    if constexpr (Op::kWrites) set_reg<T>(s, s.ip->dst, r);
    return R::Next;
  }
};
template <class Op, class T>
struct AluRM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    T b;
    if (!Mem::load(s, b)) return Mem::kFail;
    const T r = Op::template apply<T>(s, reg<T>(s, s.ip->dst), b);
    if constexpr (Op::kWrites) set_reg<T>(s, s.ip->dst, r);
    return done<Mem>(s);
  }
};
// The memory operand is the destination; the other one comes from a register or an immediate.
template <class Op, class T, bool kImmediate>
struct AluMX {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    T a;
    if constexpr (Op::kWrites) {
      u64 at;
      if (!Mem::open(s, at, a)) return Mem::kFail;
      const T b = kImmediate ? immediate<T>(s) : reg<T>(s, s.ip->src);
      Mem::close(s, at, Op::template apply<T>(s, a, b));
    } else {
      if (!Mem::load(s, a)) return Mem::kFail;
      const T b = kImmediate ? immediate<T>(s) : reg<T>(s, s.ip->src);
      Op::template apply<T>(s, a, b);
    }
    return done<Mem>(s);
  }
};

template <class Op>
Bound bind_alu(const Request& q) {
  return by_size(q.opsize, [&]<class T>() -> Bound {
    switch (q.form) {
      case Form::RR:
        return register_form<AluRR<Op, T>>();
      case Form::RI:
        return register_form<AluRI<Op, T>>();
      case Form::RM:
        return memory_form<AluRM<Op, T>>(q.address);
      case Form::MR:
        return memory_form<AluMX<Op, T, false>>(q.address);
      case Form::MI:
        return memory_form<AluMX<Op, T, true>>(q.address);
      default:
        return {};
    }
  });
}

}  // namespace softvt::hot
