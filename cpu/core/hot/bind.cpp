#include "cpu/core/hot/bind.h"

namespace softvt::hot {

Bound bind(const Request& q) {
  using Binder = Bound (*)(const Request&);
  constexpr Binder kBinders[] = {bind_add_sub,   bind_logic,  bind_move,  bind_unary,   bind_shift,
                                 bind_condition, bind_branch, bind_stack, bind_multiply};
  for (const Binder binder : kBinders) {
    if (const Bound b = binder(q)) return b;
  }
  return {};
}

void rebind(const Request& q, Insn& in) {
  if (const Bound b = bind(q)) {
    in.h = b.fast;
    in.slow = b.slow;
  }
}

bool writes_flags_sometimes(ZydisMnemonic m) {
  switch (m) {
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR:
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
      return true;
    default:
      return false;
  }
}

}  // namespace softvt::hot
