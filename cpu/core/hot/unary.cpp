// INC DEC NEG NOT, and the sign extensions of the accumulator.
#include "cpu/core/hot/alu.h"

namespace softvt::hot {
namespace {

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
struct OpNeg {
  template <class T>
  SOFTVT_INLINE static T apply(State& s, T a) { return OpSub::apply<T>(s, T{0}, a); }
};
struct OpNot {
  template <class T>
  SOFTVT_INLINE static T apply(State&, T a) { return static_cast<T>(~a); }
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
template <class Op>
Bound bind_op(const Request& q) {
  return by_size(q.opsize, [&]<class T>() -> Bound {
    if (q.form == Form::R) return register_form<UnaryR<Op, T>>();
    if (q.form == Form::M) return memory_form<UnaryM<Op, T>>(q.address);
    return {};
  });
}

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

}  // namespace

Bound bind_unary(const Request& q) {
  switch (q.mnemonic) {
    case ZYDIS_MNEMONIC_INC: return bind_op<OpInc>(q);
    case ZYDIS_MNEMONIC_DEC: return bind_op<OpDec>(q);
    case ZYDIS_MNEMONIC_NEG: return bind_op<OpNeg>(q);
    case ZYDIS_MNEMONIC_NOT: return bind_op<OpNot>(q);
    case ZYDIS_MNEMONIC_CBW: return register_form<ExtendAccumulator<u16, i8>>();
    case ZYDIS_MNEMONIC_CWDE: return register_form<ExtendAccumulator<u32, i16>>();
    case ZYDIS_MNEMONIC_CDQE: return register_form<ExtendAccumulator<u64, i32>>();
    case ZYDIS_MNEMONIC_CWD: return register_form<SignIntoDx<u16>>();
    case ZYDIS_MNEMONIC_CDQ: return register_form<SignIntoDx<u32>>();
    case ZYDIS_MNEMONIC_CQO: return register_form<SignIntoDx<u64>>();
    default: return {};
  }
}

}  // namespace softvt::hot
