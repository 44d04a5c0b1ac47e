// SETcc and CMOVcc. SDM 2B "SETcc", SDM 2A "CMOVcc".
#include "cpu/core/hot/condition.h"

#include <array>

namespace softvt::hot {
namespace {

struct Family {
  ZydisMnemonic jcc, setcc, cmovcc;
};
// In the order of Cond.
constexpr std::array<Family, 16> kFamilies{{
    {ZYDIS_MNEMONIC_JO, ZYDIS_MNEMONIC_SETO, ZYDIS_MNEMONIC_CMOVO},
    {ZYDIS_MNEMONIC_JNO, ZYDIS_MNEMONIC_SETNO, ZYDIS_MNEMONIC_CMOVNO},
    {ZYDIS_MNEMONIC_JB, ZYDIS_MNEMONIC_SETB, ZYDIS_MNEMONIC_CMOVB},
    {ZYDIS_MNEMONIC_JNB, ZYDIS_MNEMONIC_SETNB, ZYDIS_MNEMONIC_CMOVNB},
    {ZYDIS_MNEMONIC_JZ, ZYDIS_MNEMONIC_SETZ, ZYDIS_MNEMONIC_CMOVZ},
    {ZYDIS_MNEMONIC_JNZ, ZYDIS_MNEMONIC_SETNZ, ZYDIS_MNEMONIC_CMOVNZ},
    {ZYDIS_MNEMONIC_JBE, ZYDIS_MNEMONIC_SETBE, ZYDIS_MNEMONIC_CMOVBE},
    {ZYDIS_MNEMONIC_JNBE, ZYDIS_MNEMONIC_SETNBE, ZYDIS_MNEMONIC_CMOVNBE},
    {ZYDIS_MNEMONIC_JS, ZYDIS_MNEMONIC_SETS, ZYDIS_MNEMONIC_CMOVS},
    {ZYDIS_MNEMONIC_JNS, ZYDIS_MNEMONIC_SETNS, ZYDIS_MNEMONIC_CMOVNS},
    {ZYDIS_MNEMONIC_JP, ZYDIS_MNEMONIC_SETP, ZYDIS_MNEMONIC_CMOVP},
    {ZYDIS_MNEMONIC_JNP, ZYDIS_MNEMONIC_SETNP, ZYDIS_MNEMONIC_CMOVNP},
    {ZYDIS_MNEMONIC_JL, ZYDIS_MNEMONIC_SETL, ZYDIS_MNEMONIC_CMOVL},
    {ZYDIS_MNEMONIC_JNL, ZYDIS_MNEMONIC_SETNL, ZYDIS_MNEMONIC_CMOVNL},
    {ZYDIS_MNEMONIC_JLE, ZYDIS_MNEMONIC_SETLE, ZYDIS_MNEMONIC_CMOVLE},
    {ZYDIS_MNEMONIC_JNLE, ZYDIS_MNEMONIC_SETNLE, ZYDIS_MNEMONIC_CMOVNLE},
}};

int find(ZydisMnemonic Family::*member, ZydisMnemonic m) {
  for (std::size_t i = 0; i < kFamilies.size(); ++i) {
    if (kFamilies[i].*member == m) return static_cast<int>(i);
  }
  return -1;
}

template <Cond C>
struct SetR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_reg<u8>(s, s.ip->dst, holds<C>(s));
    return R::Next;
  }
};
template <Cond C>
struct SetM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    if (!Mem::store(s, static_cast<u8>(holds<C>(s)))) return Mem::kFail;
    return done<Mem>(s);
  }
};
// The source is read and, with 32 bits, the upper half cleared whatever the condition says.
template <Cond C, class T>
struct MoveRR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_reg<T>(s, s.ip->dst, holds<C>(s) ? reg<T>(s, s.ip->src) : reg<T>(s, s.ip->dst));
    return R::Next;
  }
};
template <Cond C, class T>
struct MoveRM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    T v;
    if (!Mem::load(s, v)) return Mem::kFail;
    set_reg<T>(s, s.ip->dst, holds<C>(s) ? v : reg<T>(s, s.ip->dst));
    return done<Mem>(s);
  }
};

template <Cond C>
Bound bind_cmov(const Request& q) {
  return by_size(q.opsize, [&]<class T>() -> Bound {
    if constexpr (sizeof(T) == 1) {
      return {};
    } else {
      if (q.form == Form::RR) return register_form<MoveRR<C, T>>();
      if (q.form == Form::RM) return memory_form<MoveRM<C, T>>(q.address);
      return {};
    }
  });
}

}  // namespace

int condition_of_jcc(ZydisMnemonic m) { return find(&Family::jcc, m); }
int condition_of_setcc(ZydisMnemonic m) { return find(&Family::setcc, m); }
int condition_of_cmovcc(ZydisMnemonic m) { return find(&Family::cmovcc, m); }

Bound bind_condition(const Request& q) {
  if (const int c = condition_of_setcc(q.mnemonic); c >= 0) {
    return by_condition(c, [&]<Cond C>() -> Bound {
      if (q.form == Form::R) return register_form<SetR<C>>();
      if (q.form == Form::M) return slow_form<SetM<C>>();
      return {};
    });
  }
  if (const int c = condition_of_cmovcc(q.mnemonic); c >= 0) {
    return by_condition(c, [&]<Cond C>() -> Bound { return bind_cmov<C>(q); });
  }
  return {};
}

}  // namespace softvt::hot
