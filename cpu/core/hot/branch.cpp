// Jcc and JMP in flat code, CALL and RET in 64-bit mode. Others are cold (cpu/seg/near.cpp).
#include "cpu/core/hot/branch.h"

namespace softvt::hot {
namespace {

Bound bind_indirect(const Request& q) {
  const AddressKind stack =
      q.address == AddressKind::SlowOnly ? AddressKind::SlowOnly : AddressKind::BaseDisp;
  switch (q.mnemonic) {
    case ZYDIS_MNEMONIC_JMP:
      if (q.form == Form::R) return register_form<JmpR>();
      if (q.form == Form::M) return memory_form<JmpM>(q.address);
      return {};
    case ZYDIS_MNEMONIC_CALL:
      if (q.form == Form::I) return memory_form<CallDirect>(stack);
      if (q.form == Form::R) return memory_form<CallR>(stack);
      if (q.form == Form::M) return memory_form<CallM>(q.address);
      return {};
    case ZYDIS_MNEMONIC_RET:
      return memory_form<Ret>(stack);
    default:
      return {};
  }
}

}  // namespace

Bound bind_branch(const Request& q) {
  if (!q.flat_code) return {};
  if (q.form == Form::I) {
    if (const int c = condition_of_jcc(q.mnemonic); c >= 0) {
      return by_condition(c, [&]<Cond C>() -> Bound { return register_form<Jcc<C>>(); });
    }
    if (q.mnemonic == ZYDIS_MNEMONIC_JMP) return register_form<JmpDirect>();
  }
  return q.code64 && q.opsize == 8 ? bind_indirect(q) : Bound{};
}

}  // namespace softvt::hot
