// Delivery through the 64-bit IDT. SDM 3A 6.14 "Exception and Interrupt Handling in 64-bit Mode".
#include "cpu/access.h"
#include "cpu/seg/deliver_internal.h"
#include "cpu/seg/far.h"

namespace softvt::delivery {

namespace {

bool is_interrupt_gate(const Descriptor& gate) {
  return gate.system_type() == SystemType::InterruptGate32;
}

bool read_gate(Cpu& cpu, const Event& event, Descriptor& gate) {
  const unsigned offset = event.vector * 16u;
  if (offset + 15 > cpu.idtr.limit) return fail_vector(cpu, Vector::GP, event.vector);
  u64 halves[2];
  if (!read_system(cpu, cpu.idtr.base + offset, halves, 16)) return false;
  gate.low = halves[0];
  gate.high = halves[1] & 0xffffffff;
  const bool known =
      gate.system() && (is_interrupt_gate(gate) || gate.system_type() == SystemType::TrapGate32);
  if (!known || (checks_gate_level(event.type) && gate.dpl() < cpu.cpl())) {
    return fail_vector(cpu, Vector::GP, event.vector);
  }
  if (!gate.present()) return fail_vector(cpu, Vector::NP, event.vector);
  return true;
}

// SDM 3A 6.14.2 "64-Bit Mode Stack Frame", 6.14.5 "Interrupt Stack Table": the stack is the current
// one, that of the inner level, or one of the IST; always aligned to 16 bytes.
bool choose_stack(Cpu& cpu, const Descriptor& gate, unsigned level, StackTarget& stack) {
  const bool inner = level < cpu.cpl();
  if (inner || gate.gate_ist() != 0) {
    if (!inner_stack64(cpu, level, gate.gate_ist(), stack)) return false;
    if (!inner) stack.ss = cpu.seg[static_cast<unsigned>(Seg::SS)];
  } else {
    stack = current_stack(cpu);
    stack.width = 8;  // also when the interrupted code ran in compatibility mode
  }
  stack.sp &= ~u64{15};
  return true;
}

void push_all(const Cpu& cpu, const Delivery& d, StackFrame& frame) {
  frame.push(cpu.seg[static_cast<unsigned>(Seg::SS)].selector);
  frame.push(cpu.r[RSP]);
  frame.push(d.flags_image);
  frame.push(cpu.seg[static_cast<unsigned>(Seg::CS)].selector);
  frame.push(d.return_rip);
  if (d.event.has_error) frame.push(d.event.error);
}

}  // namespace

bool deliver_long(Cpu& cpu, const Delivery& d) {
  Descriptor gate, code;
  unsigned level;
  if (!read_gate(cpu, d.event, gate)) return false;
  if (!handler_code(cpu, gate.gate_selector(), code, level)) return false;
  StackTarget stack;
  if (!choose_stack(cpu, gate, level, stack)) return false;
  const Segment cs = segment_of(gate.gate_selector(), code);
  if (!check_ip(cpu, cs, gate.gate_offset64())) return false;
  if (!mark_accessed(cpu, code)) return false;
  StackFrame frame(8);
  push_all(cpu, d, frame);
  u64 sp;
  if (!frame.write(cpu, stack, sp)) return false;

  const bool inner = level < cpu.cpl();
  u64 flags = cpu.flags() & ~kClearedByGate;
  if (is_interrupt_gate(gate)) flags &= ~rflags::IF;
  cpu.set_flags(flags);
  commit_code(cpu, segment_of(gate.gate_selector(), code), level, gate.gate_offset64());
  if (inner) cpu.set_segment(Seg::SS, stack.ss);
  cpu.r[RSP] = sp;
  return true;
}

}  // namespace softvt::delivery
