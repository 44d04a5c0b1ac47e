// PUSH and POP of 64-bit operands and LEAVE in 64-bit mode. Other stacks are cold (cpu/insn/).
#include "cpu/core/hot/stack.h"

namespace softvt::hot {
Bound bind_stack(const Request& q) {
  if (!q.code64 || q.opsize != 8) return {};
  const AddressKind stack =
      q.address == AddressKind::SlowOnly ? AddressKind::SlowOnly : AddressKind::BaseDisp;
  switch (q.mnemonic) {
    case ZYDIS_MNEMONIC_PUSH:
      if (q.form == Form::R) return memory_form<PushR>(stack);
      if (q.form == Form::I) return memory_form<PushI>(stack);
      if (q.form == Form::M) return memory_form<PushM>(q.address);
      return {};
    case ZYDIS_MNEMONIC_POP:
      if (q.form == Form::R) return memory_form<PopR>(stack);
      return {};
    case ZYDIS_MNEMONIC_LEAVE:
      return memory_form<Leave>(stack);
    default:
      return {};
  }
}

}  // namespace softvt::hot
