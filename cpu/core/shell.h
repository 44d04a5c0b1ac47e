// The shell around every handler body.
//
// A body is a struct with `template <class Mem> static R exec(State&)`. The release shell turns
// R::Next into a sibling call of the next instruction's handler with the machine state that matters
// most in the six argument registers; gcc 12 makes jumps of them at -O2 (a test disassembles the
// objects). Builds without that optimisation, or with a sanitizer that breaks it, define
// SOFTVT_RETURNING_SHELL: the same bodies, but handlers return the next instruction to a loop.
//
// Bodies must not let the address of a local escape, else the sibling call is lost.
#pragma once
#include "cpu/cpu.h"

namespace softvt {

enum class R : u8 {
  Next,   // go on with ip + 1
  Jump,   // go on with State::ip, which was set
  Slow,   // the fast memory access missed: run the slow twin
  Leave,  // back to the run loop; cpu.rip and cpu.step are set, budget is charged
  Fault,  // back to the run loop: an event is posted for this instruction
};

struct State {
  Cpu* cpu;
  Insn* ip;
  u64 cc_dst, cc_src, cc_op;
  i64 budget;
};

#define SOFTVT_INLINE [[gnu::always_inline]] inline

SOFTVT_INLINE u64 rip_of(const Cpu& cpu, const Insn* ip) {
  return (cpu.r[slot::kCodePage] + ip->pofs - cpu.rip_bias) & cpu.rip_mask;
}
SOFTVT_INLINE u64 rip_behind(const Cpu& cpu, const Insn* ip) {
  return (cpu.r[slot::kCodePage] + ip->pofs + ip->len - cpu.rip_bias) & cpu.rip_mask;
}

SOFTVT_INLINE void spill(const State& s) {
  s.cpu->cc_dst = s.cc_dst;
  s.cpu->cc_src = s.cc_src;
  s.cpu->cc_op = s.cc_op;
  s.cpu->budget = s.budget;
}

// The instruction at s.ip posted an event; everything before it is done.
SOFTVT_INLINE void note_fault(const State& s) {
  Cpu& cpu = *s.cpu;
  cpu.current = s.ip;
  cpu.rip = rip_of(cpu, s.ip);
  cpu.next_rip = rip_behind(cpu, s.ip);
  cpu.budget -= s.ip->cnt - 1;
  cpu.step = Step::Fault;
}

#ifdef SOFTVT_RETURNING_SHELL

template <class Body, class Mem>
Insn* shell(Cpu* cpu, Insn* ip) {
  State s{cpu, ip, cpu->cc_dst, cpu->cc_src, cpu->cc_op, cpu->budget};
  const R r = Body::template exec<Mem>(s);
  if (r == R::Slow) return ip->slow(cpu, ip);
  spill(s);
  switch (r) {
    case R::Next:
      return ip + 1;
    case R::Jump:
      return s.ip;
    case R::Fault:
      note_fault(s);
      return nullptr;
    default:
      return nullptr;
  }
}

#else

#if defined(__clang__) && __has_cpp_attribute(clang::musttail)
#define SOFTVT_TAIL [[clang::musttail]] return
#elif defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 15
#define SOFTVT_TAIL [[gnu::musttail]] return
#else
#define SOFTVT_TAIL return
#endif

template <class Body, class Mem>
void shell(Cpu* cpu, Insn* ip, u64 cc_dst, u64 cc_src, u64 cc_op, i64 budget) {
  State s{cpu, ip, cc_dst, cc_src, cc_op, budget};
  const R r = Body::template exec<Mem>(s);
  if (r == R::Next) {
    Insn* next = ip + 1;
    SOFTVT_TAIL next->h(cpu, next, s.cc_dst, s.cc_src, s.cc_op, s.budget);
  }
  if (r == R::Jump) {
    SOFTVT_TAIL s.ip->h(cpu, s.ip, s.cc_dst, s.cc_src, s.cc_op, s.budget);
  }
  if (r == R::Slow) {
    SOFTVT_TAIL ip->slow(cpu, ip, cc_dst, cc_src, cc_op, budget);
  }
  spill(s);
  if (r == R::Fault) note_fault(s);
}

#endif

// ---- leaving and chaining ----------------------------------------------------------------------

// Goes to `linear` through the jump cache, or leaves so that the run loop looks it up.
SOFTVT_INLINE R chain(State& s, u64 rip, u64 linear) {
  Cpu& cpu = *s.cpu;
  if ((s.budget | cpu.exit_req) >= 0) [[likely]] {
    const JumpEntry& e = cpu.jumps[(linear ^ (linear >> 12)) & (kJumpEntries - 1)];
    if (e.va == linear && e.tag == cpu.jump_tag) [[likely]] {
      cpu.r[slot::kCodePage] = linear & ~kPageMask;
      s.ip = e.insn;
      return R::Jump;
    }
  }
  cpu.rip = rip;
  cpu.step = Step::Branch;
  return R::Leave;
}

// A near branch in flat code to an absolute RIP. In legacy modes flat means base 0.
SOFTVT_INLINE R jump_to(State& s, u64 rip) { return chain(s, rip, rip); }

// A direct near branch of the instruction `from` (its imm counts from the page start).
SOFTVT_INLINE R take_branch(State& s, const Insn* from) {
  s.budget -= from->cnt;
  if ((from->flags & insn_flag::kSamePage) != 0) {
    if ((s.budget | s.cpu->exit_req) >= 0) [[likely]] {
      s.ip = from->link;
      return R::Jump;
    }
    s.cpu->rip = (s.cpu->r[slot::kCodePage] + static_cast<u64>(from->imm)) & s.cpu->rip_mask;
    s.cpu->step = Step::Branch;
    return R::Leave;
  }
  return jump_to(s, (s.cpu->r[slot::kCodePage] + static_cast<u64>(from->imm)) & s.cpu->rip_mask);
}

// Behind an instruction that ran through the slow path: code may have changed, a data breakpoint
// may have hit.
SOFTVT_INLINE R next_checked(State& s) {
  if (!s.cpu->leave_block) [[likely]]
    return R::Next;
  s.budget -= s.ip->cnt;
  s.cpu->rip = rip_behind(*s.cpu, s.ip);
  s.cpu->step = Step::EndBlock;
  return R::Leave;
}

}  // namespace softvt
