// Superinstructions: a flag-setting instruction and the Jcc behind it in one handler. Both keep
// their own Insn, so a fault, a slow access or a single step sees ordinary instructions.
#include "cpu/core/hot/fused.h"

namespace softvt::hot {
namespace {

// Only the fast shell is fused; a slow access runs the first instruction alone.
template <class Body>
Handler fast_of(AddressKind kind) {
  switch (kind) {
    case AddressKind::BaseDisp:
      return shell<Body, Fast<BaseDisp>>;
    case AddressKind::Full64:
      return shell<Body, Fast<Full64>>;
    default:
      return nullptr;
  }
}

template <class F>
Bound by_compare_condition(int condition, F f) {
  switch (static_cast<Cond>(condition)) {
    case Cond::O:
    case Cond::NO:
    case Cond::P:
    case Cond::NP:
      return {};
    default:
      return by_condition(condition, f);
  }
}
template <class F>
Bound by_zero_condition(int condition, F f) {
  switch (static_cast<Cond>(condition)) {
    case Cond::Z:
      return f.template operator()<Cond::Z>();
    case Cond::NZ:
      return f.template operator()<Cond::NZ>();
    case Cond::S:
      return f.template operator()<Cond::S>();
    case Cond::NS:
      return f.template operator()<Cond::NS>();
    default:
      return {};
  }
}
// CMP and TEST of words are rare.
template <class F>
Bound by_common_size(unsigned size, F f) {
  switch (size) {
    case 1:
      return f.template operator()<u8>();
    case 4:
      return f.template operator()<u32>();
    case 8:
      return f.template operator()<u64>();
    default:
      return {};
  }
}

Bound fuse_cmp(const Request& q, int condition) {
  return by_common_size(q.opsize, [&]<class T>() -> Bound {
    return by_compare_condition(condition, [&]<Cond C>() -> Bound {
      switch (q.form) {
        case Form::RR:
          return {shell<CmpJcc<FromRR, T, C>, Slow>};
        case Form::RI:
          return {shell<CmpJcc<FromRI, T, C>, Slow>};
        case Form::RM:
          return {fast_of<CmpJcc<FromRM, T, C>>(q.address)};
        case Form::MR:
          return {fast_of<CmpJcc<FromMR, T, C>>(q.address)};
        case Form::MI:
          return {fast_of<CmpJcc<FromMI, T, C>>(q.address)};
        default:
          return {};
      }
    });
  });
}
Bound fuse_test(const Request& q, int condition) {
  const auto c = static_cast<Cond>(condition);
  if (c == Cond::B || c == Cond::NB || c == Cond::BE || c == Cond::NBE) return {};
  return by_common_size(q.opsize, [&]<class T>() -> Bound {
    return by_compare_condition(condition, [&]<Cond C>() -> Bound {
      switch (q.form) {
        case Form::RR:
          return {shell<TestJcc<FromRR, T, C>, Slow>};
        case Form::RI:
          return {shell<TestJcc<FromRI, T, C>, Slow>};
        case Form::MI:
          return {fast_of<TestJcc<FromMI, T, C>>(q.address)};
        default:
          return {};
      }
    });
  });
}
template <class Op>
Bound fuse_arithmetic(const Request& q, int condition) {
  return by_common_size(q.opsize, [&]<class T>() -> Bound {
    return by_zero_condition(condition, [&]<Cond C>() -> Bound {
      if (q.form == Form::RR) return {shell<ArithmeticJcc<Op, FromRR, T, C>, Slow>};
      if (q.form == Form::RI) return {shell<ArithmeticJcc<Op, FromRI, T, C>, Slow>};
      return {};
    });
  });
}
template <bool kDec>
Bound fuse_step(const Request& q, int condition) {
  if (q.form != Form::R) return {};
  return by_common_size(q.opsize, [&]<class T>() -> Bound {
    return by_zero_condition(condition,
                             [&]<Cond C>() -> Bound { return {shell<StepJcc<kDec, T, C>, Slow>}; });
  });
}

}  // namespace

Bound bind_fused(const Request& first, const Request& jcc) {
  const int condition = condition_of_jcc(jcc.mnemonic);
  if (condition < 0 || jcc.form != Form::I || !jcc.flat_code) return {};
  switch (first.mnemonic) {
    case ZYDIS_MNEMONIC_CMP:
      return fuse_cmp(first, condition);
    case ZYDIS_MNEMONIC_TEST:
      return fuse_test(first, condition);
    case ZYDIS_MNEMONIC_ADD:
      return fuse_arithmetic<OpAdd>(first, condition);
    case ZYDIS_MNEMONIC_SUB:
      return fuse_arithmetic<OpSub>(first, condition);
    case ZYDIS_MNEMONIC_AND:
      return fuse_arithmetic<OpAnd>(first, condition);
    case ZYDIS_MNEMONIC_DEC:
      return fuse_step<true>(first, condition);
    case ZYDIS_MNEMONIC_INC:
      return fuse_step<false>(first, condition);
    default:
      return {};
  }
}

}  // namespace softvt::hot
