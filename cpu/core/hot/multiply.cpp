// IMUL with two and three operands. SDM 2A "IMUL": CF = OF = the product was truncated; SF ZF AF
// PF are undefined.
#include "cpu/core/hot/alu.h"

namespace softvt::hot {
namespace {

template <class T>
SOFTVT_INLINE T product(State& s, T a, T b) {
  using Signed = std::make_signed_t<T>;
  Signed r;
  const bool lost = __builtin_mul_overflow(static_cast<Signed>(a), static_cast<Signed>(b), &r);
  set_cc(s, static_cast<T>(r), lost ? rflags::CF | rflags::OF : 0, lazy::op_of<T>(lazy::Result));
  return static_cast<T>(r);
}

template <class T, bool kImmediate>
struct ImulR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const T b = kImmediate ? immediate<T>(s) : reg<T>(s, s.ip->dst);
    set_reg<T>(s, s.ip->dst, product<T>(s, reg<T>(s, s.ip->src), b));
    return R::Next;
  }
};
template <class T, bool kImmediate>
struct ImulM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    T a;
    if (!Mem::load(s, a)) return Mem::kFail;
    const T b = kImmediate ? immediate<T>(s) : reg<T>(s, s.ip->dst);
    set_reg<T>(s, s.ip->dst, product<T>(s, a, b));
    return done<Mem>(s);
  }
};

template <class T>
Bound imul(const Request& q) {
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
    case 2: return imul<u16>(q);
    case 4: return imul<u32>(q);
    case 8: return imul<u64>(q);
    default: return {};
  }
}

}  // namespace softvt::hot
