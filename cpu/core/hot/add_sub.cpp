// ADD SUB ADC SBB CMP. SDM 2A "ADD", "ADC", SDM 2B "SBB", "SUB", SDM 2A "CMP".
#include "cpu/core/hot/alu.h"

namespace softvt::hot {

Bound bind_add_sub(const Request& q) {
  switch (q.mnemonic) {
    case ZYDIS_MNEMONIC_ADD:
      return bind_alu<OpAdd>(q);
    case ZYDIS_MNEMONIC_SUB:
      return bind_alu<OpSub>(q);
    case ZYDIS_MNEMONIC_ADC:
      return bind_alu<OpAdc>(q);
    case ZYDIS_MNEMONIC_SBB:
      return bind_alu<OpSbb>(q);
    case ZYDIS_MNEMONIC_CMP:
      return bind_alu<OpCmp>(q);
    default:
      return {};
  }
}

}  // namespace softvt::hot
