// IRET in every mode. SDM 2A "IRET/IRETD/IRETQ—Interrupt Return".
#include "cpu/access.h"
#include "cpu/seg/far.h"
#include "cpu/seg/insns.h"
#include "cpu/seg/task.h"

namespace softvt {

namespace {

struct Frame {
  u64 ip = 0;
  u64 selector = 0;
  u64 flags = 0;
};

bool pop_frame(StackReader& stack, unsigned size, Frame& frame) {
  return stack.pop(size, frame.ip) && stack.pop(size, frame.selector) &&
         stack.pop(size, frame.flags);
}

void write_flags(Cpu& cpu, u64 value, u64 mask) {
  mask &= rflags::All;
  cpu.set_flags((cpu.flags() & ~mask) | (value & mask) | rflags::Fixed1);
}

// A 16-bit image holds only the lower half of EFLAGS.
u64 image_mask(unsigned size) { return size == 2 ? 0xffff : ~u64{0}; }

// The flags that the current level may change. SDM 2A "IRET", RETURN-TO-SAME-PRIVILEGE-LEVEL.
u64 protected_mask(const Cpu& cpu, unsigned size) {
  const u64 iopl = (cpu.rflags_rest & rflags::IOPL) >> 12;
  u64 mask = rflags::Arithmetic | rflags::TF | rflags::DF | rflags::NT | rflags::RF | rflags::AC |
             rflags::ID;
  if (cpu.cpl() <= iopl) mask |= rflags::IF;
  if (cpu.cpl() == 0) mask |= rflags::IOPL | rflags::VIF | rflags::VIP;
  return mask & image_mask(size);
}

Step iret_real(Cpu& cpu, const Insn& in) {
  StackReader stack(cpu);
  Frame frame;
  if (!pop_frame(stack, in.opsize, frame)) return Step::Fault;
  const u16 selector = static_cast<u16>(frame.selector);
  if (!check_ip(cpu, real_mode_segment(cpu, Seg::CS, selector), frame.ip)) return Step::Fault;
  constexpr u64 kept = rflags::VM | rflags::VIF | rflags::VIP;
  cpu.r[RSP] = stack.sp();
  write_flags(cpu, frame.flags, ~kept & image_mask(in.opsize));
  commit_real_code(cpu, selector, frame.ip);
  return Step::Branch;
}

// With VME and IOPL < 3 the image's IF stands for VIF. SDM 3B 21.2.8.1, 21.3.
bool vme_flags(Cpu& cpu, u64 image, u64& flags) {
  const bool interrupts = (image & rflags::IF) != 0;
  const bool pending = (cpu.rflags_rest & rflags::VIP) != 0;
  if ((interrupts && pending) || (image & rflags::TF)) {
    cpu.raise_gp(0);
    return false;
  }
  constexpr u64 mask = 0xffff & ~(rflags::IF | rflags::IOPL);
  flags = (cpu.flags() & ~(mask | rflags::VIF)) | (image & mask);
  if (interrupts) flags |= rflags::VIF;
  return true;
}

Step iret_v86(Cpu& cpu, const Insn& in) {
  const bool full_access = (cpu.rflags_rest & rflags::IOPL) == rflags::IOPL;
  const bool vme = (cpu.cr4 & cr4::VME) != 0 && in.opsize == 2;
  if (!full_access && !vme) return cpu.raise_gp(0);
  StackReader stack(cpu);
  Frame frame;
  if (!pop_frame(stack, in.opsize, frame)) return Step::Fault;
  const u16 selector = static_cast<u16>(frame.selector);
  if (!check_ip(cpu, real_mode_segment(cpu, Seg::CS, selector), frame.ip)) return Step::Fault;
  u64 flags;
  if (full_access) {
    const u64 mask =
        image_mask(in.opsize) & ~(rflags::VM | rflags::IOPL | rflags::VIP | rflags::VIF);
    flags = (cpu.flags() & ~mask) | (frame.flags & mask);
  } else if (!vme_flags(cpu, frame.flags, flags)) {
    return Step::Fault;
  }
  cpu.r[RSP] = stack.sp();
  write_flags(cpu, flags, ~u64{0});
  commit_real_code(cpu, selector, frame.ip);
  return Step::Branch;
}

Step return_from_nested_task(Cpu& cpu) {
  const Segment& tss = cpu.seg[static_cast<unsigned>(Seg::TR)];
  TaskRequest request;
  request.source = TaskSource::Iret;
  request.return_ip = cpu.next_rip;
  if (!read_system(cpu, table_address(cpu, tss.base), &request.selector, 2)) return Step::Fault;
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

Step return_to_v86(Cpu& cpu, const Frame& frame, StackReader& stack) {
  u64 sp = 0;
  u64 selectors[5] = {};
  constexpr Seg kOrder[5] = {Seg::SS, Seg::ES, Seg::DS, Seg::FS, Seg::GS};
  if (!stack.pop(4, sp)) return Step::Fault;
  for (u64& selector : selectors) {
    if (!stack.pop(4, selector)) return Step::Fault;
  }
  if (frame.ip > 0xffff) return cpu.raise_gp(0);
  write_flags(cpu, frame.flags, ~u64{0});
  commit_real_code(cpu, static_cast<u16>(frame.selector), frame.ip);
  for (unsigned i = 0; i < 5; ++i) {
    const u16 selector = static_cast<u16>(selectors[i]);
    cpu.set_segment(kOrder[i], real_mode_segment(cpu, kOrder[i], selector));
  }
  cpu.r[RSP] = sp;
  return Step::Branch;
}

// A return that takes SS:RSP from the frame: to an outer level, or any in 64-bit mode.
Step return_with_stack(Cpu& cpu, const Frame& frame, const Segment& cs, unsigned size,
                       StackReader& stack) {
  const unsigned level = selector_rpl(cs.selector);
  const bool outer = level > cpu.cpl();
  u64 sp, ss_selector;
  if (!stack.pop(size, sp) || !stack.pop(size, ss_selector)) return Step::Fault;
  Segment ss;
  if (!prepare_return_stack(cpu, cs, static_cast<u16>(ss_selector), ss)) return Step::Fault;
  if (!check_ip(cpu, cs, frame.ip)) return Step::Fault;
  write_flags(cpu, frame.flags, protected_mask(cpu, size));
  commit_code(cpu, cs, level, frame.ip);
  cpu.set_segment(Seg::SS, ss);
  cpu.r[RSP] = sp;
  if (outer) drop_inner_segments(cpu);
  return Step::Branch;
}

Step iret_protected(Cpu& cpu, const Insn& in) {
  if (cpu.rflags_rest & rflags::NT) {
    return cpu.long_mode() ? cpu.raise_gp(0) : return_from_nested_task(cpu);
  }
  StackReader stack(cpu);
  Frame frame;
  if (!pop_frame(stack, in.opsize, frame)) return Step::Fault;
  const bool to_v86 = (frame.flags & rflags::VM) != 0 && in.opsize == 4 && cpu.cpl() == 0;
  if (to_v86 && !cpu.long_mode()) return return_to_v86(cpu, frame, stack);
  const u16 selector = static_cast<u16>(frame.selector);
  if (!null_selector(selector) && selector_rpl(selector) < cpu.cpl()) {
    return cpu.raise_gp(selector_error(selector));
  }
  Segment cs;
  if (!prepare_return_code_segment(cpu, selector, Vector::GP, cs)) return Step::Fault;
  if (cpu.code64() || selector_rpl(selector) > cpu.cpl()) {
    return return_with_stack(cpu, frame, cs, in.opsize, stack);
  }
  if (!check_ip(cpu, cs, frame.ip)) return Step::Fault;
  cpu.r[RSP] = stack.sp();
  write_flags(cpu, frame.flags, protected_mask(cpu, in.opsize));
  commit_code(cpu, cs, cpu.cpl(), frame.ip);
  return Step::Branch;
}

}  // namespace

Step iret(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, Intercept::Iret)) return Step::VmExit;
  Step step;
  if (!cpu.protected_mode()) {
    step = iret_real(cpu, in);
  } else if (cpu.v86()) {
    step = iret_v86(cpu, in);
  } else {
    step = iret_protected(cpu, in);
  }
  // SDM 3A 6.7.1 "Handling Multiple NMIs": NMIs stay blocked until an IRET. A faulting one unblocks
  // as well, except in guest mode, where the hypervisor would have to block again before it
  // resumes the guest at this IRET (SDM 3C 28.2.3).
  const bool faulted_as_guest = step == Step::Fault && cpu.guest_mode;
  if (cpu.nmi_blocked && step != Step::VmExit && !faulted_as_guest) {
    cpu.nmi_blocked = false;
    if (cpu.nmi_pending) cpu.request_exit();  // it is taken before the next instruction
  }
  return step;
}

}  // namespace softvt
