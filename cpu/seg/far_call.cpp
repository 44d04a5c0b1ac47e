// Far CALL. SDM 2A "CALL—Call Procedure", 3A 5.8.4 and 5.8.5.
#include "cpu/access.h"
#include "cpu/seg/far.h"
#include "cpu/seg/insns.h"

namespace softvt {

namespace {

const Segment& current(const Cpu& cpu, Seg which) { return cpu.seg[static_cast<unsigned>(which)]; }

Step call_real(Cpu& cpu, const FarPointer& pointer) {
  const Segment cs = real_mode_segment(cpu, Seg::CS, pointer.selector);
  if (!check_ip(cpu, cs, pointer.offset)) return Step::Fault;
  StackFrame frame(pointer.size);
  frame.push(current(cpu, Seg::CS).selector);
  frame.push(cpu.next_rip);
  u64 sp;
  if (!frame.write(cpu, current_stack(cpu), sp)) return Step::Fault;
  cpu.r[RSP] = sp;
  commit_real_code(cpu, pointer.selector, pointer.offset);
  return Step::Branch;
}

// Direct calls, and gates that do not change the level.
Step call_same_level(Cpu& cpu, FarTarget& target) {
  StackFrame frame(target.size);
  frame.push(current(cpu, Seg::CS).selector);
  frame.push(cpu.next_rip);
  if (!check_ip(cpu, segment_of(target.selector, target.code), target.ip)) return Step::Fault;
  if (!mark_accessed(cpu, target.code)) return Step::Fault;
  u64 sp;
  if (!frame.write(cpu, current_stack(cpu), sp)) return Step::Fault;
  cpu.r[RSP] = sp;
  commit_code(cpu, segment_of(target.selector, target.code), cpu.cpl(), target.ip);
  return Step::Branch;
}

// Copies the parameters of a call gate from the outer stack, the one pushed first first.
bool push_parameters(Cpu& cpu, const FarTarget& target, StackFrame& frame) {
  const u64 mask = size_mask(stack_size(cpu));
  for (unsigned i = target.parameters; i-- > 0;) {
    const u64 offset = (cpu.r[RSP] + u64{i} * target.size) & mask;
    u64 linear;
    u64 value = 0;
    if (!segment_address(cpu, Seg::SS, offset, target.size, Access::Read, linear)) return false;
    if (!read_linear(cpu, linear, &value, target.size)) return false;
    frame.push(value);
  }
  return true;
}

Step call_inner_level(Cpu& cpu, FarTarget& target) {
  const unsigned level = target.code.dpl();
  StackTarget stack;
  const bool found =
      cpu.long_mode() ? inner_stack64(cpu, level, 0, stack) : inner_stack(cpu, level, stack);
  if (!found) return Step::Fault;
  if (!check_ip(cpu, segment_of(target.selector, target.code), target.ip)) return Step::Fault;
  StackFrame frame(target.size);
  frame.push(current(cpu, Seg::SS).selector);
  frame.push(cpu.r[RSP]);
  if (!push_parameters(cpu, target, frame)) return Step::Fault;
  frame.push(current(cpu, Seg::CS).selector);
  frame.push(cpu.next_rip);
  if (!mark_accessed(cpu, target.code)) return Step::Fault;
  u64 sp;
  if (!frame.write(cpu, stack, sp)) return Step::Fault;
  cpu.set_segment(Seg::SS, stack.ss);
  cpu.r[RSP] = sp;
  commit_code(cpu, segment_of(target.selector, target.code), level, target.ip);
  return Step::Branch;
}

Step call_gate(Cpu& cpu, u16 selector, const Descriptor& gate) {
  FarTarget target;
  if (!gate_target(cpu, selector, gate, GateUse::Call, target)) return Step::Fault;
  const bool inner = !target.code.conforming() && target.code.dpl() < cpu.cpl();
  return inner ? call_inner_level(cpu, target) : call_same_level(cpu, target);
}

Step call_through_system(Cpu& cpu, u16 selector, const Descriptor& d) {
  switch (d.system_type()) {
    case SystemType::CallGate32:
      return call_gate(cpu, selector, d);
    case SystemType::CallGate16:
      if (cpu.long_mode()) break;
      return call_gate(cpu, selector, d);
    case SystemType::Tss16Available:
    case SystemType::Tss32Available:
    case SystemType::TaskGate:
      if (cpu.long_mode()) break;
      return far_task_switch(cpu, selector, d, GateUse::Call);
    default:
      break;
  }
  return cpu.raise_gp(selector_error(selector));
}

}  // namespace

Step far_call(Cpu& cpu, const Insn& in) {
  FarPointer pointer;
  if (!far_operand(cpu, in, pointer)) return Step::Fault;
  if (cpu.real_or_v86()) return call_real(cpu, pointer);
  Descriptor d;
  if (!fetch_far_descriptor(cpu, pointer.selector, d)) return Step::Fault;
  if (d.system()) return call_through_system(cpu, pointer.selector, d);
  FarTarget target;
  if (!direct_target(cpu, pointer, d, target)) return Step::Fault;
  return call_same_level(cpu, target);
}

}  // namespace softvt
