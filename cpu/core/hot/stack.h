// Bodies of PUSH, POP and LEAVE in 64-bit mode.
#pragma once
#include "cpu/core/hot/alu.h"

namespace softvt::hot {

constexpr u8 kRsp = RSP * 8;
constexpr u8 kRbp = RBP * 8;

template <class Mem>
SOFTVT_INLINE bool push64(State& s, u64 v) {
  const u64 sp = reg<u64>(s, kRsp) - 8;
  if (!Mem::stack_store(s, sp, v)) return false;
  set_reg<u64>(s, kRsp, sp);
  return true;
}

struct PushR {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    if (!push64<Mem>(s, reg<u64>(s, s.ip->dst))) return Mem::kFail;
    return done<Mem>(s);
  }
};
struct PushI {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    if (!push64<Mem>(s, static_cast<u64>(s.ip->imm))) return Mem::kFail;
    return done<Mem>(s);
  }
};
struct PushM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    u64 v;
    if (!Mem::load(s, v)) return Mem::kFail;
    if (!push64<Mem>(s, v)) return Mem::kFail;
    return done<Mem>(s);
  }
};
struct PopR {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    const u64 sp = reg<u64>(s, kRsp);
    u64 v;
    if (!Mem::stack_load(s, sp, v)) return Mem::kFail;
    set_reg<u64>(s, kRsp, sp + 8);
    set_reg<u64>(s, s.ip->dst, v);  // POP RSP: the value wins
    return done<Mem>(s);
  }
};
struct Leave {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    const u64 bp = reg<u64>(s, kRbp);
    u64 v;
    if (!Mem::stack_load(s, bp, v)) return Mem::kFail;
    set_reg<u64>(s, kRsp, bp + 8);
    set_reg<u64>(s, kRbp, v);
    return done<Mem>(s);
  }
};

}  // namespace softvt::hot
