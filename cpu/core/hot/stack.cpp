// PUSH and POP of 64-bit operands and LEAVE in 64-bit mode. Other stacks are cold (cpu/insn/).
#include "cpu/core/hot/alu.h"

namespace softvt::hot {
namespace {

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

}  // namespace

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
    case ZYDIS_MNEMONIC_LEAVE: return memory_form<Leave>(stack);
    default: return {};
  }
}

}  // namespace softvt::hot
