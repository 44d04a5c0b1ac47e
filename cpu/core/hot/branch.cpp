// Jcc and JMP in flat code, CALL and RET in 64-bit mode. Others are cold (cpu/seg/near.cpp).
#include "cpu/core/hot/condition.h"

namespace softvt::hot {
namespace {

constexpr u8 kRsp = RSP * 8;

// A near branch to a non-canonical address is #GP(0) of the branch itself. SDM 2A "JMP", "CALL".
SOFTVT_INLINE bool target_ok(State& s, u64 target) {
  const u8 shift = s.cpu->canonical_shift;
  if (static_cast<u64>(static_cast<i64>(target << shift) >> shift) == target) [[likely]] return true;
  s.cpu->raise_gp();
  return false;
}

template <Cond C>
struct Jcc {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    if (!holds<C>(s)) return R::Next;
    return take_branch(s, s.ip);
  }
};
struct JmpDirect {
  template <class>
  SOFTVT_INLINE static R exec(State& s) { return take_branch(s, s.ip); }
};
struct JmpR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const u64 target = reg<u64>(s, s.ip->dst);
    if (!target_ok(s, target)) return R::Fault;
    s.budget -= s.ip->cnt;
    return jump_to(s, target);
  }
};
struct JmpM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    u64 target;
    if (!Mem::load(s, target)) return Mem::kFail;
    if (!target_ok(s, target)) return R::Fault;
    s.budget -= s.ip->cnt;
    return jump_to(s, target);
  }
};
SOFTVT_INLINE u64 return_address(const State& s) {
  return s.cpu->r[slot::kCodePage] + s.ip->pofs + s.ip->len;
}
struct CallDirect {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    const u64 sp = reg<u64>(s, kRsp) - 8;
    if (!Mem::stack_store(s, sp, return_address(s))) return Mem::kFail;
    set_reg<u64>(s, kRsp, sp);
    return take_branch(s, s.ip);
  }
};
struct CallR {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    const u64 target = reg<u64>(s, s.ip->dst);
    if (!target_ok(s, target)) return R::Fault;
    const u64 sp = reg<u64>(s, kRsp) - 8;
    if (!Mem::stack_store(s, sp, return_address(s))) return Mem::kFail;
    set_reg<u64>(s, kRsp, sp);
    s.budget -= s.ip->cnt;
    return jump_to(s, target);
  }
};
struct CallM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    u64 target;
    if (!Mem::load(s, target)) return Mem::kFail;
    if (!target_ok(s, target)) return R::Fault;
    const u64 sp = reg<u64>(s, kRsp) - 8;
    if (!Mem::stack_store(s, sp, return_address(s))) return Mem::kFail;
    set_reg<u64>(s, kRsp, sp);
    s.budget -= s.ip->cnt;
    return jump_to(s, target);
  }
};
// RET and RET imm16 (imm is 0 for the former).
struct Ret {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    const u64 sp = reg<u64>(s, kRsp);
    u64 target;
    if (!Mem::stack_load(s, sp, target)) return Mem::kFail;
    if (!target_ok(s, target)) return R::Fault;
    set_reg<u64>(s, kRsp, sp + 8 + static_cast<u64>(s.ip->imm));
    s.budget -= s.ip->cnt;
    return jump_to(s, target);
  }
};

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
    case ZYDIS_MNEMONIC_RET: return memory_form<Ret>(stack);
    default: return {};
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
