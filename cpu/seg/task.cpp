#include "cpu/seg/task.h"

#include "cpu/access.h"
#include "cpu/seg/load.h"
#include "cpu/seg/stack_frame.h"
#include "cpu/seg/task_state.h"
#include "cpu/sys/control_regs.h"

namespace softvt {

namespace {

constexpr u64 kDr6TaskSwitch = 1 << 15;  // BT
constexpr u64 kDr7LocalEnables = 0x155;  // L0..L3 and LE
constexpr u32 kTypeBusy = 2;

const Segment& segment(const Cpu& cpu, Seg which) { return cpu.seg[static_cast<unsigned>(which)]; }
bool wide_tss(const Segment& tss) { return (tss.type() & 8) != 0; }
bool nests(TaskSource source) { return source == TaskSource::Call || source == TaskSource::Gate; }

// SDM 3A 8.3, table 8-1 "Exception Conditions Checked During a Task Switch", the TSS part.
bool find_task(Cpu& cpu, const TaskRequest& request, Descriptor& d) {
  const bool returning = request.source == TaskSource::Iret;
  const Vector bad = returning ? Vector::TS : Vector::GP;
  const u16 selector = request.selector;
  if (null_selector(selector) || selector_in_ldt(selector)) {
    return fail_selector(cpu, bad, selector);
  }
  if (!fetch_descriptor_or_raise(cpu, selector, bad, d)) return false;
  if (!d.task_state() || d.busy_task() != returning) return fail_selector(cpu, bad, selector);
  if (!d.present()) return fail_selector(cpu, Vector::NP, selector);
  if (segment_of(selector, d).limit < tss_minimum_limit(d.wide_task())) {
    return fail_selector(cpu, Vector::TS, selector);
  }
  return true;
}

bool intercepted(Cpu& cpu, const TaskRequest& request) {
  static constexpr Insn kNoInsn{};
  const Insn& in = cpu.current ? *cpu.current : kNoInsn;
  const u64 detail = request.selector | u64{static_cast<u8>(request.source)} << 16;
  return cpu.intercepted(in, Intercept::TaskSwitch, detail, request.error);
}

TaskState capture(const Cpu& cpu, const TaskRequest& request) {
  TaskState s;
  s.ip = static_cast<u32>(request.return_ip);
  s.flags = static_cast<u32>(cpu.flags() | request.saved_flags_or);
  if (request.source == TaskSource::Iret) s.flags &= ~static_cast<u32>(rflags::NT);
  for (unsigned i = 0; i < 8; ++i) s.gpr[i] = static_cast<u32>(cpu.r[i]);
  for (unsigned i = 0; i < 6; ++i) s.segments[i] = cpu.seg[i].selector;
  return s;
}

// The old task's descriptor, whose busy bit a JMP or IRET clears.
bool old_task_descriptor(Cpu& cpu, Descriptor& d) {
  const u16 selector = segment(cpu, Seg::TR).selector;
  return fetch_descriptor_or_raise(cpu, selector, Vector::TS, d) &&
         probe_write_system(cpu, d.linear, 8);
}

// Everything up to the commit point: old state saved, busy bits and back link written.
bool save_old_task(Cpu& cpu, const TaskRequest& request, const Descriptor& d, const TssLocation& to,
                   TaskState& state) {
  const Segment& old = segment(cpu, Seg::TR);
  const TssLocation from{old.base, wide_tss(old)};
  if (old.limit < tss_minimum_limit(from.wide)) {
    return fail_selector(cpu, Vector::TS, old.selector);
  }
  Descriptor old_descriptor;
  if (!nests(request.source) && !old_task_descriptor(cpu, old_descriptor)) return false;
  if (!probe_write_system(cpu, d.linear, 8)) return false;
  if (!read_task_state(cpu, to, state)) return false;  // pages of the new TSS are there
  if (nests(request.source) && !probe_task_state(cpu, to)) return false;
  if (!probe_task_state(cpu, from)) return false;

  if (!nests(request.source) && !write_busy(cpu, old_descriptor, false)) return false;
  if (!write_task_state(cpu, from, capture(cpu, request))) return false;
  if (nests(request.source) && !write_task_link(cpu, to, old.selector)) return false;
  if (request.source != TaskSource::Iret && !write_busy(cpu, d, true)) return false;
  return read_task_state(cpu, to, state);
}

// Registers that cannot fault. The segment registers hold their selectors, not usable yet.
bool commit_registers(Cpu& cpu, const TaskRequest& request, Segment tr, const TaskState& state) {
  tr.rights |= kTypeBusy;
  cpu.set_segment(Seg::TR, tr);
  cpu.cr0 |= cr0::TS;
  cpu.dr7 &= ~kDr7LocalEnables;
  u64 flags = (state.flags & rflags::All) | rflags::Fixed1;
  if (nests(request.source)) flags |= rflags::NT;
  const unsigned level = (flags & rflags::VM) ? 3 : selector_rpl(state.segments[1]);
  for (unsigned i = 0; i < 6; ++i) {
    Segment s;
    s.selector = state.segments[i];
    s.rights = seg_rights::Unusable | (level << seg_rights::DplShift);
    cpu.set_segment(static_cast<Seg>(i), s);
  }
  Segment ldt;
  ldt.selector = state.ldt;
  ldt.rights = seg_rights::Unusable;
  cpu.set_segment(Seg::LDTR, ldt);
  for (unsigned i = 0; i < 8; ++i) cpu.r[i] = state.gpr[i];
  cpu.rip = state.ip;
  cpu.set_flags(flags);
  cpu.update_mode();
  const bool loads_cr3 = wide_tss(tr) && (cpu.cr0 & cr0::PG) != 0;
  return !loads_cr3 || load_cr3(cpu, state.cr3);
}

void load_v86_segments(Cpu& cpu, const TaskState& state) {
  for (unsigned i = 0; i < 6; ++i) {
    const Seg which = static_cast<Seg>(i);
    cpu.set_segment(which, real_mode_segment(cpu, which, state.segments[i]));
  }
}

bool load_protected_segments(Cpu& cpu, const TaskState& state) {
  const u16 cs_selector = state.segments[static_cast<unsigned>(Seg::CS)];
  const u16 ss_selector = state.segments[static_cast<unsigned>(Seg::SS)];
  const unsigned level = selector_rpl(cs_selector);
  Segment cs, ss;
  if (!prepare_return_code_segment(cpu, cs_selector, Vector::TS, cs)) return false;
  if (!prepare_stack_segment(cpu, ss_selector, level, Vector::TS, false, ss)) return false;
  cpu.set_segment(Seg::CS, cs);
  cpu.set_segment(Seg::SS, ss);
  for (const Seg which : {Seg::ES, Seg::DS, Seg::FS, Seg::GS}) {
    Segment s;
    const u16 selector = state.segments[static_cast<unsigned>(which)];
    if (!prepare_data_segment(cpu, which, selector, level, Vector::TS, s)) return false;
    cpu.set_segment(which, s);
  }
  return true;
}

bool load_segments(Cpu& cpu, const TaskState& state) {
  Segment ldt;
  if (!prepare_ldt(cpu, state.ldt, Vector::TS, Vector::TS, ldt)) return false;
  cpu.set_segment(Seg::LDTR, ldt);
  if (!cpu.v86()) return load_protected_segments(cpu, state);
  load_v86_segments(cpu, state);
  return true;
}

// SDM 3A 6.12.2 "Interrupt Tasks": the error code is pushed on the stack of the handler's task.
bool push_error(Cpu& cpu, const TaskRequest& request, bool wide) {
  if (!request.has_error) return true;
  StackFrame frame(wide ? 4 : 2);
  frame.push(request.error);
  u64 sp;
  if (!frame.write(cpu, current_stack(cpu), sp)) return false;
  cpu.r[RSP] = sp;
  return true;
}

}  // namespace

TaskOutcome switch_task(Cpu& cpu, const TaskRequest& request) {
  Descriptor d;
  if (!find_task(cpu, request, d)) return TaskOutcome::Fault;
  if (intercepted(cpu, request)) return TaskOutcome::VmExit;
  const Segment tr = segment_of(request.selector, d);
  const TssLocation to{tr.base, d.wide_task()};
  TaskState state;
  if (!save_old_task(cpu, request, d, to, state)) return TaskOutcome::Fault;
  if (!commit_registers(cpu, request, tr, state)) return TaskOutcome::Fault;
  if (!load_segments(cpu, state)) return TaskOutcome::Fault;
  if (!push_error(cpu, request, to.wide)) return TaskOutcome::Fault;
  if (!check_ip(cpu, segment(cpu, Seg::CS), cpu.rip)) return TaskOutcome::Fault;
  if (state.trap) {
    cpu.pending_dr6 |= kDr6TaskSwitch;
    cpu.request_exit();
  }
  return TaskOutcome::Done;
}

}  // namespace softvt
