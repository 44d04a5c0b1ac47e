#include "cpu/core/handlers.h"

#include "cpu/core/mode.h"
#include "cpu/core/shell.h"

namespace softvt::handlers {
namespace {

// Runs an instruction that is a plain function.
struct Cold {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    Cpu& cpu = *s.cpu;
    Insn* ip = s.ip;
    spill(s);
    cpu.current = ip;
    cpu.rip = rip_of(cpu, ip);
    cpu.next_rip = rip_behind(cpu, ip);
    const Step step = ip->fn(cpu, *ip);
    s.cc_dst = cpu.cc_dst;
    s.cc_src = cpu.cc_src;
    s.cc_op = cpu.cc_op;
    if (step == Step::Next) [[likely]]
      return next_checked(s);
    return leave(s, step);
  }

  SOFTVT_INLINE static R leave(State& s, Step step) {
    Cpu& cpu = *s.cpu;
    if (step == Step::Fault) {
      s.budget -= s.ip->cnt - 1;
      cpu.step = Step::Fault;
      return R::Leave;
    }
    s.budget -= s.ip->cnt;
    if (step == Step::EndBlock || step == Step::Stop) cpu.rip = cpu.next_rip;
    cpu.step = step;
    const bool plain = step == Step::Branch || step == Step::EndBlock;
    if (plain && (cpu.mode & mode::kFlatCode) != 0 && cpu.shadow == Shadow::None &&
        !cpu.leave_block) {
      return jump_to(s, cpu.rip);
    }
    return R::Leave;
  }
};

// Falls into the next block.
struct BlockEnd {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const Cpu& cpu = *s.cpu;
    if ((s.ip->flags & insn_flag::kSamePage) != 0) return take_branch(s, s.ip);
    s.budget -= s.ip->cnt;
    const u64 linear = cpu.r[slot::kCodePage] + static_cast<u64>(s.ip->imm);
    return chain(s, (linear - cpu.rip_bias) & cpu.rip_mask, linear);
  }
};

// The link of a same-page branch was followed for the first time.
struct LinkStub {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    Cpu& cpu = *s.cpu;
    cpu.rip = (cpu.r[slot::kCodePage] + static_cast<u64>(s.ip->imm) - cpu.rip_bias) & cpu.rip_mask;
    cpu.link_from = s.ip->link;
    cpu.step = Step::Branch;
    return R::Leave;
  }
};

// The first instruction of a block whose bytes were written to.
struct Stale {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    Cpu& cpu = *s.cpu;
    const u64 linear = cpu.r[slot::kCodePage] + s.ip->pofs;
    cpu.jumps[(linear ^ (linear >> 12)) & (kJumpEntries - 1)] = JumpEntry{};
    cpu.rip = rip_of(cpu, s.ip);
    cpu.step = Step::Branch;
    return R::Leave;
  }
};

// The second page of a page-crossing instruction must still be where it was decoded.
struct CrossGuard {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    Cpu& cpu = *s.cpu;
    const u64 second = cpu.r[slot::kCodePage] + kPageSize;
    const TlbEntry& e = cpu.tlb[tlb_index(second)];
    if (e.x == second && static_cast<i64>(second + e.addend) == s.ip->imm) [[likely]] {
      return R::Next;
    }
    cpu.rip = rip_of(cpu, s.ip);
    cpu.redecode = true;
    cpu.step = Step::Branch;
    return R::Leave;
  }
};

struct Unused {};

}  // namespace

Handler cold() { return shell<Cold, Unused>; }
Handler block_end() { return shell<BlockEnd, Unused>; }
Handler link_stub() { return shell<LinkStub, Unused>; }
Handler cross_guard() { return shell<CrossGuard, Unused>; }
void make_stale(Insn& first) {
  first.h = shell<Stale, Unused>;
  first.slow = first.h;
}

}  // namespace softvt::handlers
