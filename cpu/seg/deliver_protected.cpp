// Delivery through the IDT outside IA-32e mode. SDM 3A 6.12 "Exception and Interrupt Handling",
// SDM 2A "INT n/INTO/INT3/INT1".
#include "cpu/access.h"
#include "cpu/seg/deliver_internal.h"
#include "cpu/seg/far.h"
#include "cpu/seg/task.h"

namespace softvt::delivery {

namespace {

// The handler an interrupt or trap gate leads to.
struct Handler {
  u16 selector;
  Descriptor code;
  unsigned level;
  u64 ip;
  unsigned size;  // of the words in the frame
  bool masks_interrupts;
};

constexpr Seg kV86Order[] = {Seg::GS, Seg::FS, Seg::DS, Seg::ES};

bool is_handler_gate(SystemType type) {
  return type == SystemType::InterruptGate16 || type == SystemType::TrapGate16 ||
         type == SystemType::InterruptGate32 || type == SystemType::TrapGate32;
}

bool read_gate(Cpu& cpu, const Event& event, Descriptor& gate) {
  const unsigned offset = event.vector * 8u;
  if (offset + 7 > cpu.idtr.limit) return fail_vector(cpu, Vector::GP, event.vector);
  if (!read_system(cpu, table_address(cpu, cpu.idtr.base + offset), &gate.low, 8)) return false;
  const bool known = gate.system() && (is_handler_gate(gate.system_type()) ||
                                       gate.system_type() == SystemType::TaskGate);
  if (!known) return fail_vector(cpu, Vector::GP, event.vector);
  if (checks_gate_level(event.type) && gate.dpl() < cpu.cpl()) {
    return fail_vector(cpu, Vector::GP, event.vector);
  }
  if (!gate.present()) return fail_vector(cpu, Vector::NP, event.vector);
  return true;
}

bool through_task_gate(Cpu& cpu, const Delivery& d, const Descriptor& gate) {
  TaskRequest request;
  request.source = TaskSource::Gate;
  request.selector = gate.gate_selector();
  request.return_ip = d.return_rip;
  request.saved_flags_or = d.flags_image & rflags::RF;
  request.has_error = d.event.has_error;
  request.error = d.event.error;
  return switch_task(cpu, request) == TaskOutcome::Done;
}

bool find_handler(Cpu& cpu, const Descriptor& gate, Handler& handler) {
  const SystemType type = gate.system_type();
  const bool wide = type == SystemType::InterruptGate32 || type == SystemType::TrapGate32;
  handler.selector = gate.gate_selector();
  handler.ip = gate.gate_offset32() & (wide ? 0xffffffff : 0xffff);
  handler.size = wide ? 4 : 2;
  handler.masks_interrupts =
      type == SystemType::InterruptGate32 || type == SystemType::InterruptGate16;
  if (!handler_code(cpu, handler.selector, handler.code, handler.level)) return false;
  // Out of virtual-8086 mode only to CPL 0.
  if (cpu.v86() && handler.level != 0) return fail_selector(cpu, Vector::GP, handler.selector);
  return true;
}

void push_return(const Cpu& cpu, const Delivery& d, StackFrame& frame) {
  frame.push(d.flags_image);
  frame.push(cpu.seg[static_cast<unsigned>(Seg::CS)].selector);
  frame.push(d.return_rip);
  if (d.event.has_error) frame.push(d.event.error);
}

void push_outer_stack(const Cpu& cpu, StackFrame& frame) {
  if (cpu.v86()) {
    for (const Seg which : kV86Order) {
      frame.push(cpu.seg[static_cast<unsigned>(which)].selector);
    }
  }
  frame.push(cpu.seg[static_cast<unsigned>(Seg::SS)].selector);
  frame.push(cpu.r[RSP]);
}

// Mode and registers behind a successful push.
void enter(Cpu& cpu, const Handler& handler, const StackTarget& stack, u64 sp, bool inner) {
  const bool from_v86 = cpu.v86();
  u64 flags = cpu.flags() & ~kClearedByGate;
  if (handler.masks_interrupts) flags &= ~rflags::IF;
  cpu.set_flags(flags);
  commit_code(cpu, segment_of(handler.selector, handler.code), handler.level, handler.ip);
  if (inner) cpu.set_segment(Seg::SS, stack.ss);
  cpu.r[RSP] = sp;
  if (!from_v86) return;
  for (const Seg which : kV86Order) cpu.set_segment(which, null_segment(cpu, which, 0));
}

bool through_handler_gate(Cpu& cpu, const Delivery& d, const Descriptor& gate) {
  Handler handler;
  if (!find_handler(cpu, gate, handler)) return false;
  const bool inner = handler.level < cpu.cpl();
  StackTarget stack = current_stack(cpu);
  if (inner && !inner_stack(cpu, handler.level, stack)) return false;
  if (!check_ip(cpu, segment_of(handler.selector, handler.code), handler.ip)) return false;
  if (!mark_accessed(cpu, handler.code)) return false;
  StackFrame frame(handler.size);
  if (inner) push_outer_stack(cpu, frame);
  push_return(cpu, d, frame);
  u64 sp;
  if (!frame.write(cpu, stack, sp)) return false;
  enter(cpu, handler, stack, sp, inner);
  return true;
}

}  // namespace

bool deliver_protected(Cpu& cpu, const Delivery& d) {
  Descriptor gate;
  if (!read_gate(cpu, d.event, gate)) return false;
  if (gate.system_type() == SystemType::TaskGate) return through_task_gate(cpu, d, gate);
  return through_handler_gate(cpu, d, gate);
}

}  // namespace softvt::delivery
