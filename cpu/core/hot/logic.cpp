// AND OR XOR TEST. AF is undefined for them; it reads as 0, as on current processors.
#include "cpu/core/hot/alu.h"

namespace softvt::hot {

Bound bind_logic(const Request& q) {
  switch (q.mnemonic) {
    case ZYDIS_MNEMONIC_AND:
      return bind_alu<OpAnd>(q);
    case ZYDIS_MNEMONIC_OR:
      return bind_alu<OpOr>(q);
    case ZYDIS_MNEMONIC_XOR:
      return bind_alu<OpXor>(q);
    case ZYDIS_MNEMONIC_TEST:
      return bind_alu<OpTest>(q);
    default:
      return {};
  }
}

}  // namespace softvt::hot
