#include "cpu/seg/far.h"

#include "cpu/access.h"
#include "cpu/seg/task.h"

namespace softvt {

namespace {

// The gate itself: privilege, presence, and its second half in IA-32e mode.
bool check_gate(Cpu& cpu, u16 selector, Descriptor& gate) {
  if (gate.dpl() < cpu.cpl() || gate.dpl() < selector_rpl(selector)) {
    return fail_selector(cpu, Vector::GP, selector);
  }
  if (!gate.present()) return fail_selector(cpu, Vector::NP, selector);
  return !cpu.long_mode() || fetch_second_half_or_raise(cpu, selector, Vector::GP, gate);
}

bool gate_level_allows(const Cpu& cpu, const Descriptor& code, GateUse use) {
  const bool must_match = use == GateUse::Jump && !code.conforming();
  return must_match ? code.dpl() == cpu.cpl() : code.dpl() <= cpu.cpl();
}

}  // namespace

bool far_operand(Cpu& cpu, const Insn& in, FarPointer& out) {
  // AMD has no m16:64 form. APM 3 "JMP (Far)".
  out.size = !cpu.intel && in.opsize == 8 ? 4 : in.opsize;
  out.offset = 0;
  if (in.form == Form::Far) {
    out.offset = static_cast<u64>(in.imm) & size_mask(out.size);
    out.selector = static_cast<u16>(in.disp);
    return true;
  }
  u8 image[10];
  u64 linear;
  if (!operand_address(cpu, in, out.size + 2, Access::Read, linear)) return false;
  if (!read_linear(cpu, linear, image, out.size + 2)) return false;
  __builtin_memcpy(&out.offset, image, out.size);
  __builtin_memcpy(&out.selector, image + out.size, 2);
  return true;
}

bool fetch_far_descriptor(Cpu& cpu, u16 selector, Descriptor& out) {
  if (null_selector(selector)) return fail_selector(cpu, Vector::GP, 0);
  return fetch_descriptor_or_raise(cpu, selector, Vector::GP, out);
}

bool direct_target(Cpu& cpu, const FarPointer& pointer, const Descriptor& d, FarTarget& out) {
  if (!valid_code_segment(cpu, d)) return fail_selector(cpu, Vector::GP, pointer.selector);
  const bool allowed = d.conforming()
                           ? d.dpl() <= cpu.cpl()
                           : d.dpl() == cpu.cpl() && selector_rpl(pointer.selector) <= cpu.cpl();
  if (!allowed) return fail_selector(cpu, Vector::GP, pointer.selector);
  if (!d.present()) return fail_selector(cpu, Vector::NP, pointer.selector);
  out = FarTarget{pointer.selector, d, pointer.offset, pointer.size, 0};
  return true;
}

bool gate_target(Cpu& cpu, u16 gate_selector, Descriptor gate, GateUse use, FarTarget& out) {
  if (!check_gate(cpu, gate_selector, gate)) return false;
  const bool wide = gate.system_type() == SystemType::CallGate32;
  out = FarTarget{};
  out.selector = gate.gate_selector();
  out.ip = cpu.long_mode() ? gate.gate_offset64() : gate.gate_offset32();
  if (!wide) out.ip &= 0xffff;
  out.size = cpu.long_mode() ? 8 : wide ? 4 : 2;
  out.parameters = cpu.long_mode() ? 0 : gate.gate_parameters();
  if (!fetch_far_descriptor(cpu, out.selector, out.code)) return false;
  const bool shape_ok =
      valid_code_segment(cpu, out.code) && (!cpu.long_mode() || out.code.long_code());
  if (!shape_ok || !gate_level_allows(cpu, out.code, use)) {
    return fail_selector(cpu, Vector::GP, out.selector);
  }
  if (!out.code.present()) return fail_selector(cpu, Vector::NP, out.selector);
  return true;
}

Step far_task_switch(Cpu& cpu, u16 selector, const Descriptor& d, GateUse use) {
  const TaskSource source = use == GateUse::Jump ? TaskSource::Jump : TaskSource::Call;
  const auto fail = [&cpu, selector](Vector v) { return cpu.raise(v, selector_error(selector)); };
  if (d.dpl() < cpu.cpl() || d.dpl() < selector_rpl(selector)) return fail(Vector::GP);
  TaskRequest request;
  request.source = source;
  request.selector = selector;
  request.return_ip = cpu.next_rip;
  if (d.system_type() == SystemType::TaskGate) {
    if (!d.present()) return fail(Vector::NP);
    request.selector = d.gate_selector();
  }
  switch (switch_task(cpu, request)) {
    case TaskOutcome::Done:
      return Step::Branch;
    case TaskOutcome::VmExit:
      return Step::VmExit;
    case TaskOutcome::Fault:
      break;
  }
  return Step::Fault;
}

void commit_code(Cpu& cpu, Segment cs, unsigned cpl, u64 ip) {
  cs.selector = static_cast<u16>((cs.selector & ~3) | cpl);
  cpu.set_segment(Seg::CS, cs);
  cpu.rip = ip;
}

void commit_real_code(Cpu& cpu, u16 selector, u64 ip) {
  cpu.set_segment(Seg::CS, real_mode_segment(cpu, Seg::CS, selector));
  cpu.rip = ip;
}

bool prepare_return_stack(Cpu& cpu, const Segment& cs, u16 selector, Segment& out) {
  const unsigned level = selector_rpl(cs.selector);
  const bool to_long = cpu.long_mode() && (cs.rights & seg_rights::L) != 0;
  return prepare_stack_segment(cpu, selector, level, Vector::GP, to_long && level != 3, out);
}

}  // namespace softvt
