// Bodies of superinstructions that end in a Jcc.
#pragma once
#include "cpu/core/hot/condition.h"

namespace softvt::hot {

// Where the two operands come from.
struct FromRR {
  template <class T, class Mem>
  SOFTVT_INLINE static bool get(State& s, T& a, T& b) {
    a = reg<T>(s, s.ip->dst);
    b = reg<T>(s, s.ip->src);
    return true;
  }
};
struct FromRI {
  template <class T, class Mem>
  SOFTVT_INLINE static bool get(State& s, T& a, T& b) {
    a = reg<T>(s, s.ip->dst);
    b = immediate<T>(s);
    return true;
  }
};
struct FromRM {
  template <class T, class Mem>
  SOFTVT_INLINE static bool get(State& s, T& a, T& b) {
    a = reg<T>(s, s.ip->dst);
    return Mem::load(s, b);
  }
};
struct FromMR {
  template <class T, class Mem>
  SOFTVT_INLINE static bool get(State& s, T& a, T& b) {
    b = reg<T>(s, s.ip->src);
    return Mem::load(s, a);
  }
};
struct FromMI {
  template <class T, class Mem>
  SOFTVT_INLINE static bool get(State& s, T& a, T& b) {
    b = immediate<T>(s);
    return Mem::load(s, a);
  }
};

// Goes behind the pair or to the target of the second instruction.
SOFTVT_INLINE R branch_pair(State& s, bool taken) {
  if (taken) return take_branch(s, s.ip + 1);
  s.ip += 2;
  return R::Jump;
}

template <class From, class T, Cond C>
struct CmpJcc {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    T a, b;
    if (!From::template get<T, Mem>(s, a, b)) return Mem::kFail;
    OpCmp::apply<T>(s, a, b);
    return branch_pair(s, compare_holds<C, T>(a, b));
  }
};
template <class From, class T, Cond C>
struct TestJcc {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    T a, b;
    if (!From::template get<T, Mem>(s, a, b)) return Mem::kFail;
    const T r = OpTest::apply<T>(s, a, b);
    return branch_pair(s, compare_holds<C, T>(r, T{0}));  // CF and OF are 0, as after CMP r, 0
  }
};
// ADD, SUB, AND with a register destination: result against zero.
template <class Op, class From, class T, Cond C>
struct ArithmeticJcc {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    T a, b;
    if (!From::template get<T, Mem>(s, a, b)) return Mem::kFail;
    const T r = Op::template apply<T>(s, a, b);
    set_reg<T>(s, s.ip->dst, r);
    return branch_pair(s, compare_holds<C, T>(r, T{0}));
  }
};
template <bool kDec, class T, Cond C>
struct StepJcc {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const u64 carry = lazy::carry(s.cc_dst, s.cc_src, s.cc_op);
    const T r = static_cast<T>(reg<T>(s, s.ip->dst) + (kDec ? -1 : 1));
    set_cc(s, r, carry, lazy::op_of<T>(kDec ? lazy::Dec : lazy::Inc));
    set_reg<T>(s, s.ip->dst, r);
    return branch_pair(s, compare_holds<C, T>(r, T{0}));
  }
};

}  // namespace softvt::hot
