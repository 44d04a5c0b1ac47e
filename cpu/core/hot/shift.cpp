// SHL SHR SAR by an immediate or by CL. SDM 2B "SAL/SAR/SHL/SHR". OF is defined for counts of 1;
// for others it gets what the formula for 1 gives on the last step, as current processors do.
#include "cpu/core/hot/shift.h"

namespace softvt::hot {
namespace {

template <class Op>
Bound bind_op(const Request& q) {
  return by_size(q.opsize, [&]<class T>() -> Bound {
    switch (q.form) {
      case Form::RI:
        return register_form<ShiftR<Op, T, false>>();
      case Form::RR:
        return register_form<ShiftR<Op, T, true>>();
      case Form::MI:
        return slow_form<ShiftM<Op, T, false>>();
      case Form::MR:
        return slow_form<ShiftM<Op, T, true>>();
      default:
        return {};
    }
  });
}

template <class Op>
Bound bind_plain(const Request& q) {
  return by_size(q.opsize, [&]<class T>() -> Bound {
    if (q.form == Form::RI) return register_form<ShiftR<Op, T, false>>();
    if (q.form == Form::RR) return register_form<ShiftR<Op, T, true>>();
    return {};
  });
}

Bound bind_plain_shift(const Request& q) {
  switch (q.mnemonic) {
    case ZYDIS_MNEMONIC_SHL:
      return bind_plain<PlainShl>(q);
    case ZYDIS_MNEMONIC_SHR:
      return bind_plain<PlainShr>(q);
    case ZYDIS_MNEMONIC_SAR:
      return bind_plain<PlainSar>(q);
    case ZYDIS_MNEMONIC_ROL:
      return bind_plain<PlainRol>(q);
    case ZYDIS_MNEMONIC_ROR:
      return bind_plain<PlainRor>(q);
    default:
      return {};
  }
}

}  // namespace

Bound bind_shift(const Request& q) {
  if (q.flags_dead) {
    if (const Bound b = bind_plain_shift(q)) return b;
  }
  switch (q.mnemonic) {
    case ZYDIS_MNEMONIC_SHL:
      return bind_op<OpShl>(q);
    case ZYDIS_MNEMONIC_SHR:
      return bind_op<OpShr>(q);
    case ZYDIS_MNEMONIC_SAR:
      return bind_op<OpSar>(q);
    default:
      return {};
  }
}

}  // namespace softvt::hot
