// IMUL with two and three operands. SDM 2A "IMUL": CF = OF = the product was truncated; SF ZF AF
// PF are undefined.
#include "cpu/core/hot/multiply.h"

namespace softvt::hot {
namespace {

template <class T>
Bound imul(const Request& q) {
  if (q.form == Form::RR && q.flags_dead) {
    return q.three_operands ? register_form<ImulR<T, true, true>>()
                            : register_form<ImulR<T, false, true>>();
  }
  if (q.form == Form::RR) {
    return q.three_operands ? register_form<ImulR<T, true>>() : register_form<ImulR<T, false>>();
  }
  if (q.form == Form::RM) {
    return q.three_operands ? memory_form<ImulM<T, true>>(q.address)
                            : memory_form<ImulM<T, false>>(q.address);
  }
  return {};
}

}  // namespace

Bound bind_multiply(const Request& q) {
  if (q.mnemonic != ZYDIS_MNEMONIC_IMUL) return {};
  switch (q.opsize) {
    case 2:
      return imul<u16>(q);
    case 4:
      return imul<u32>(q);
    case 8:
      return imul<u64>(q);
    default:
      return {};
  }
}

}  // namespace softvt::hot
