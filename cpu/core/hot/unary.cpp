// INC DEC NEG NOT, and the sign extensions of the accumulator.
#include "cpu/core/hot/unary.h"

namespace softvt::hot {
namespace {

template <class Op>
Bound bind_op(const Request& q) {
  return by_size(q.opsize, [&]<class T>() -> Bound {
    if (q.form == Form::R) return register_form<UnaryR<Op, T>>();
    if (q.form == Form::M) return memory_form<UnaryM<Op, T>>(q.address);
    return {};
  });
}

}  // namespace

Bound bind_unary(const Request& q) {
  switch (q.mnemonic) {
    case ZYDIS_MNEMONIC_INC:
      return q.flags_dead ? bind_op<PlainInc>(q) : bind_op<OpInc>(q);
    case ZYDIS_MNEMONIC_DEC:
      return q.flags_dead ? bind_op<PlainDec>(q) : bind_op<OpDec>(q);
    case ZYDIS_MNEMONIC_NEG:
      return bind_op<OpNeg>(q);
    case ZYDIS_MNEMONIC_NOT:
      return bind_op<OpNot>(q);
    case ZYDIS_MNEMONIC_CBW:
      return register_form<ExtendAccumulator<u16, i8>>();
    case ZYDIS_MNEMONIC_CWDE:
      return register_form<ExtendAccumulator<u32, i16>>();
    case ZYDIS_MNEMONIC_CDQE:
      return register_form<ExtendAccumulator<u64, i32>>();
    case ZYDIS_MNEMONIC_CWD:
      return register_form<SignIntoDx<u16>>();
    case ZYDIS_MNEMONIC_CDQ:
      return register_form<SignIntoDx<u32>>();
    case ZYDIS_MNEMONIC_CQO:
      return register_form<SignIntoDx<u64>>();
    default:
      return {};
  }
}

}  // namespace softvt::hot
