// Bodies of near branches.
#pragma once
#include "cpu/core/hot/condition.h"
#include "cpu/core/hot/stack.h"

namespace softvt::hot {

// A near branch to a non-canonical address is #GP(0) of the branch itself. SDM 2A "JMP", "CALL".
SOFTVT_INLINE bool target_ok(State& s, u64 target) {
  const u8 shift = s.cpu->canonical_shift;
  if (static_cast<u64>(static_cast<i64>(target << shift) >> shift) == target) [[likely]]
    return true;
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
  SOFTVT_INLINE static R exec(State& s) {
    return take_branch(s, s.ip);
  }
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

}  // namespace softvt::hot
