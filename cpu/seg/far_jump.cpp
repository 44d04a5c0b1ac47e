// Far JMP. SDM 2A "JMP—Jump".
#include "cpu/seg/far.h"
#include "cpu/seg/insns.h"

namespace softvt {

namespace {

Step jump_to(Cpu& cpu, FarTarget& target) {
  if (!check_ip(cpu, segment_of(target.selector, target.code), target.ip)) return Step::Fault;
  if (!mark_accessed(cpu, target.code)) return Step::Fault;
  commit_code(cpu, segment_of(target.selector, target.code), cpu.cpl(), target.ip);
  return Step::Branch;
}

Step jump_through_system(Cpu& cpu, const FarPointer& pointer, const Descriptor& d) {
  FarTarget target;
  switch (d.system_type()) {
    case SystemType::CallGate16:
    case SystemType::Tss16Available:
    case SystemType::Tss32Available:
    case SystemType::TaskGate:
      if (cpu.long_mode()) break;
      if (d.system_type() != SystemType::CallGate16) {
        return far_task_switch(cpu, pointer.selector, d, GateUse::Jump);
      }
      [[fallthrough]];
    case SystemType::CallGate32:
      if (!gate_target(cpu, pointer.selector, d, GateUse::Jump, target)) return Step::Fault;
      return jump_to(cpu, target);
    default:
      break;
  }
  return cpu.raise_gp(selector_error(pointer.selector));
}

}  // namespace

Step far_jump(Cpu& cpu, const Insn& in) {
  FarPointer pointer;
  if (!far_operand(cpu, in, pointer)) return Step::Fault;
  if (cpu.real_or_v86()) {
    if (!check_ip(cpu, real_mode_segment(cpu, Seg::CS, pointer.selector), pointer.offset)) {
      return Step::Fault;
    }
    commit_real_code(cpu, pointer.selector, pointer.offset);
    return Step::Branch;
  }
  Descriptor d;
  if (!fetch_far_descriptor(cpu, pointer.selector, d)) return Step::Fault;
  if (d.system()) return jump_through_system(cpu, pointer, d);
  FarTarget target;
  if (!direct_target(cpu, pointer, d, target)) return Step::Fault;
  return jump_to(cpu, target);
}

}  // namespace softvt
