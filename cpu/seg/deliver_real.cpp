// Delivery through the interrupt vector table: real-address mode, and software interrupts that VME
// redirects. SDM 3B 21.1.4 "Interrupt and Exception Handling", 21.3.
#include "cpu/access.h"
#include "cpu/seg/deliver_internal.h"
#include "cpu/seg/far.h"

namespace softvt::delivery {

namespace {

struct Handler {
  u16 ip;
  u16 cs;
};

bool push_frame(Cpu& cpu, u64 flags, u64 ip, u64& sp) {
  StackFrame frame(2);
  frame.push(flags);
  frame.push(cpu.seg[static_cast<unsigned>(Seg::CS)].selector);
  frame.push(ip);
  return frame.write(cpu, current_stack(cpu), sp);
}

bool enter(Cpu& cpu, const Delivery& d, const Handler& handler, u64 pushed, u64 cleared) {
  if (!check_ip(cpu, real_mode_segment(cpu, Seg::CS, handler.cs), handler.ip)) return false;
  u64 sp;
  if (!push_frame(cpu, pushed, d.return_rip, sp)) return false;
  cpu.r[RSP] = sp;
  cpu.set_flags(cpu.flags() & ~cleared);
  commit_real_code(cpu, handler.cs, handler.ip);
  return true;
}

}  // namespace

bool deliver_real(Cpu& cpu, const Delivery& d) {
  const unsigned offset = d.event.vector * 4u;
  if (offset + 3 > cpu.idtr.limit) return fail_vector(cpu, Vector::GP, d.event.vector);
  Handler handler;
  if (!read_system(cpu, table_address(cpu, cpu.idtr.base + offset), &handler, 4)) return false;
  constexpr u64 cleared = rflags::IF | rflags::TF | rflags::AC | rflags::RF;
  return enter(cpu, d, handler, d.flags_image, cleared);
}

bool deliver_vme(Cpu& cpu, const Delivery& d) {
  Handler handler;
  if (!read_linear(cpu, d.event.vector * 4u, &handler, 4)) return false;
  if ((d.flags_image & rflags::IOPL) == rflags::IOPL) {
    constexpr u64 cleared = rflags::IF | rflags::TF | rflags::RF;
    return enter(cpu, d, handler, d.flags_image, cleared);
  }
  // Methods 5 and 6 with IOPL < 3: the program sees VIF as its IF, and IOPL 3.
  u64 pushed = (d.flags_image | rflags::IOPL) & ~rflags::IF;
  if (d.flags_image & rflags::VIF) pushed |= rflags::IF;
  constexpr u64 cleared = rflags::VIF | rflags::TF | rflags::RF;
  return enter(cpu, d, handler, pushed, cleared);
}

}  // namespace softvt::delivery
