// The run loop: events at boundaries, look-up of blocks, faults.
#include "cpu/apic/apic_timer.h"
#include "cpu/core/block.h"
#include "cpu/core/events.h"
#include "cpu/core/mode.h"
#include "cpu/core/shell.h"
#include "cpu/seg/deliver.h"
#include "cpu/sys/debug_regs.h"
#include "cpu/timeline.h"

namespace softvt {
namespace {

void execute(Cpu& cpu, Insn* ip) {
#ifdef SOFTVT_RETURNING_SHELL
  while (ip != nullptr) ip = ip->h(&cpu, ip);
#else
  ip->h(&cpu, ip, cpu.cc_dst, cpu.cc_src, cpu.cc_op, cpu.budget);
#endif
}

// The block at RIP: jump cache, then the code cache. Null: a fault is posted.
Insn* look_up(Cpu& cpu, bool fresh) {
  if (!fresh && (cpu.mode & mode::kFlatCode) != 0) {
    const u64 linear = cpu.rip;
    const JumpEntry& e = cpu.jumps[(linear ^ (linear >> 12)) & (kJumpEntries - 1)];
    if (e.va == linear && e.tag == cpu.jump_tag) {
      cpu.r[slot::kCodePage] = linear & ~kPageMask;
      return e.insn;
    }
  }
  return find_block(cpu, fresh);
}

// Delivers what an instruction or a fetch posted. Shutdown shows in cpu.activity.
void take_fault(Cpu& cpu) {
  cpu.shadow = Shadow::None;
  cpu.exit_req = -1;
  cpu.budget -= 1;
  if (cpu.second_stage_pending) {
    cpu.second_stage_pending = false;
    cpu.fault_pending = false;
    cpu.virt->take_second_stage_exit(cpu, nullptr);
    return;
  }
  cpu.fault_pending = false;
  deliver_with_escalation(cpu, cpu.fault);
}

RunStop stop_of(Activity activity) {
  switch (activity) {
    case Activity::Shutdown:
      return RunStop::Shutdown;
    case Activity::WaitForSipi:
      return RunStop::WaitForSipi;
    default:
      return RunStop::Halted;
  }
}

void set_one_insn(Cpu& cpu, bool on) {
  const u32 wanted = on ? cpu.mode | mode::kOneInsn : cpu.mode & ~mode::kOneInsn;
  if (wanted == cpu.mode) return;
  cpu.mode = wanted;
  cpu.update_mode();
}

// The debug exception of an instruction breakpoint comes before the instruction. SDM 3B 18.3.1.1.
bool breakpoint_here(Cpu& cpu) {
  if (!breakpoints_enabled(cpu) || (cpu.rflags_rest & rflags::RF) != 0) return false;
  const u64 hit = match_instruction_breakpoint(cpu, cpu.rip + (cpu.code64() ? 0 : cpu.seg[1].base));
  if (hit == 0) return false;
  cpu.raise_event({.vector = 1, .dr6 = hit});
  return true;
}

}  // namespace

u64 Cpu::instructions() const {
  const u64 in_block = current != nullptr ? current->cnt - 1u : 0u;
  return retired + static_cast<u64>(slice - budget) + in_block;
}

u64 Cpu::nanos() const {
  if (slice == 0 && timeline != nullptr)
    return timeline->now();  // between slices: idle time passes
  return slice_start + (instructions() - retired) * kNanosPerInsn;
}

u64 Cpu::tsc() const {
  const u64 host = nanos() * kTscTicksPerNano + static_cast<u64>(tsc_offset);
  return guest_mode ? host + guest_tsc_offset : host;
}

void Cpu::sync_time() { timeline->set_now(nanos()); }

void Cpu::begin_slice(i64 n) {
  slice = budget = n;
  slice_start = timeline->now();
  current = nullptr;
  link_from = nullptr;
  exit_req = -1;  // events may have come since the last slice
}

void Cpu::end_slice() {
  current = nullptr;
  set_one_insn(*this, false);
  const u64 done = static_cast<u64>(slice - budget);
  retired += done;
  timeline->set_now(slice_start + done * kNanosPerInsn);
  slice = budget = 0;
  slice_start = timeline->now();
}

// Executes from RIP up to the next time a block is left; RIP and the events are consistent.
// `from`: a branch that waits for its link.
void Cpu::run_blocks(Insn* from) {
  const bool single = needs_single_step(*this);
  const bool trap = (rflags_rest & rflags::TF) != 0;
  set_one_insn(*this, single);
  if (single) {
    exit_req = -1;  // leave behind one instruction
    no_trap = false;
    if (breakpoint_here(*this)) {
      take_fault(*this);
      return;
    }
  }
  const u64 resume = rflags_rest & rflags::RF;
  rflags_rest &= ~rflags::RF;
  shadow_before = shadow;
  shadow = Shadow::None;
  const bool fresh = redecode;
  redecode = false;
  const u64 flushes = code->flushes();
  Insn* ip = look_up(*this, fresh);
  if (ip == nullptr) {
    take_fault(*this);
    return;
  }
  // A flush of the arena takes the waiting branch with it.
  if (from != nullptr && !single && code->flushes() == flushes) from->link = ip;
  const i64 before = budget;
  execute(*this, ip);
  if (step == Step::Fault) {
    take_fault(*this);
  } else if (step == Step::VmExit) {
    exit_req = -1;
  } else if (budget == before) {  // a stale block or a link: nothing was executed
    shadow = shadow_before;
    rflags_rest |= resume;
    // A few times in a row at most; whatever the reason for more, a run must come to its end.
    constexpr unsigned kMostIdleTurns = 64;
    if (++idle_turns >= kMostIdleTurns) budget -= 1;
    return;
  } else if (trap && !no_trap) {
    pending_dr6 |= dr6::BS;
  }
  idle_turns = 0;
  if (pending_dr6 != 0) exit_req = -1;
}

RunStop Cpu::run(i64 n) {
  begin_slice(n);
  RunStop stop = RunStop::Budget;
  for (;;) {
    if (stop_on_vm_exit && !guest_mode) {
      stop = RunStop::Request;
      break;
    }
    Insn* from = link_from;
    link_from = nullptr;
    current = nullptr;
    leave_block = false;
    if (exit_req < 0 || activity != Activity::Active) {
      exit_req = 0;
      from = nullptr;
      if (stop_requested) {
        stop_requested = false;
        stop = RunStop::Request;
        break;
      }
      const Boundary b = take_events(*this);
      if (b == Boundary::Waiting) {
        stop = stop_of(activity);
        break;
      }
      if (b == Boundary::Again) {
        exit_req = -1;
        if (budget < 0) break;
        continue;
      }
    }
    if (budget < 0) break;
    run_blocks(from);
  }
  end_slice();
  return stop;
}

}  // namespace softvt
