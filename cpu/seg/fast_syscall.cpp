// Fast system calls. SDM 2B "SYSCALL", "SYSRET", "SYSENTER", "SYSEXIT", APM 3 "SYSCALL", "SYSRET";
// SDM 3A 5.8.7, 5.8.8.
#include "cpu/access.h"
#include "cpu/seg/insns.h"
#include "cpu/seg/load.h"
#include "cpu/sys/debug_regs.h"

namespace softvt {

namespace {

u16 syscall_selector(const Cpu& cpu) { return static_cast<u16>(cpu.msr.star >> 32) & 0xfffc; }
u16 sysret_selector(const Cpu& cpu) { return static_cast<u16>(cpu.msr.star >> 48); }

// SYSENTER_CS with bits 15:2 zero disables the pair.
bool sysenter_enabled(const Cpu& cpu) { return (cpu.msr.sysenter_cs & 0xfffc) != 0; }

void enter_kernel(Cpu& cpu, u16 selector, u64 ip) {
  cpu.set_segment(Seg::CS, flat_code_segment(selector, 0, cpu.long_mode()));
  cpu.set_segment(Seg::SS, flat_stack_segment(static_cast<u16>(selector + 8), 0));
  cpu.rip = ip;
}

// Bits of R11 that SYSRET loads. SDM 2B "SYSRET": R11 & 3C7FD7H | 2.
constexpr u64 kSysretFlags = rflags::All & ~(rflags::RF | rflags::VM);

// AMD loads only the selector of SS; its hidden part stays, apart from the level.
// APM 3 "SYSRET".
Segment sysret_stack_segment(const Cpu& cpu, u16 selector) {
  if (cpu.intel) return flat_stack_segment(selector, 3);
  Segment s = cpu.seg[static_cast<unsigned>(Seg::SS)];
  s.selector = selector;
  s.rights |= seg_rights::DplMask;
  return s;
}

// SYSRET and SYSCALL exist on Intel in 64-bit mode only.
bool syscall_exists(const Cpu& cpu) {
  return (cpu.efer & efer::SCE) != 0 && (cpu.code64() || !cpu.intel);
}

// Whether a single-step trap follows is decided by RFLAGS.TF as these two leave it, so that neither
// the handler of a masked TF is stepped nor the return lost. APM 2 13.1.4 "Breakpoints".
Step branch_with_new_trap_flag(Cpu& cpu) {
  cpu.no_trap = true;
  if ((cpu.rflags_rest & rflags::TF) != 0) {
    cpu.pending_dr6 |= dr6::BS;
    cpu.request_exit();
  }
  return Step::Branch;
}

// AMD has SYSENTER and SYSEXIT in legacy mode only. APM 3 "SYSENTER".
bool sysenter_exists(const Cpu& cpu) { return cpu.intel || !cpu.long_mode(); }

}  // namespace

Step syscall(Cpu& cpu, const Insn&) {
  if (!syscall_exists(cpu)) return cpu.raise_ud();
  const u64 flags = cpu.flags();
  if (!cpu.long_mode()) {
    put_reg<u32>(cpu, RCX * 8, static_cast<u32>(cpu.next_rip));
    cpu.set_flags(flags & ~(rflags::IF | rflags::RF | rflags::VM));
    enter_kernel(cpu, syscall_selector(cpu), cpu.msr.star & 0xffffffff);
    return branch_with_new_trap_flag(cpu);
  }
  const u64 target = cpu.code64() ? cpu.msr.lstar : cpu.msr.cstar;
  cpu.r[RCX] = cpu.next_rip;
  cpu.r[R11] = flags & ~rflags::RF;
  cpu.set_flags((flags & ~cpu.msr.sfmask & ~rflags::RF) | rflags::Fixed1);
  enter_kernel(cpu, syscall_selector(cpu), target);
  return branch_with_new_trap_flag(cpu);
}

Step sysret(Cpu& cpu, const Insn& in) {
  if (!syscall_exists(cpu)) return cpu.raise_ud();
  if (!cpu.protected_mode() || cpu.cpl() != 0) return cpu.raise_gp(0);
  const bool wide = cpu.code64() && in.opsize == 8;
  // Intel faults here, still at CPL 0; AMD faults at the target, at CPL 3.
  if (wide && cpu.intel && !canonical(cpu, cpu.r[RCX])) return cpu.raise_gp(0);
  const u64 target = wide ? cpu.r[RCX] : cpu.r[RCX] & 0xffffffff;
  const u16 base = sysret_selector(cpu);
  const u16 code = static_cast<u16>((wide ? base + 16 : base) | 3);
  const u16 stack = static_cast<u16>((base + 8) | 3);
  if (cpu.long_mode()) {
    cpu.set_flags((cpu.r[R11] & kSysretFlags) | rflags::Fixed1);
  } else {
    cpu.set_flags(cpu.flags() | rflags::IF);
  }
  cpu.set_segment(Seg::CS, flat_code_segment(code, 3, wide));
  cpu.set_segment(Seg::SS, sysret_stack_segment(cpu, stack));
  cpu.rip = target;
  return branch_with_new_trap_flag(cpu);
}

Step sysenter(Cpu& cpu, const Insn&) {
  if (!sysenter_exists(cpu)) return cpu.raise_ud();
  if (!cpu.protected_mode() || !sysenter_enabled(cpu)) return cpu.raise_gp(0);
  const u64 mask = cpu.long_mode() ? ~u64{0} : 0xffffffff;
  cpu.set_flags(cpu.flags() & ~(rflags::VM | rflags::IF | rflags::RF));
  cpu.r[RSP] = cpu.msr.sysenter_esp & mask;
  enter_kernel(cpu, static_cast<u16>(cpu.msr.sysenter_cs) & 0xfffc, cpu.msr.sysenter_eip & mask);
  return Step::Branch;
}

Step sysexit(Cpu& cpu, const Insn& in) {
  if (!sysenter_exists(cpu)) return cpu.raise_ud();
  if (!cpu.protected_mode() || !sysenter_enabled(cpu) || cpu.cpl() != 0) return cpu.raise_gp(0);
  const bool wide = cpu.code64() && in.opsize == 8;
  if (wide && !(canonical(cpu, cpu.r[RCX]) && canonical(cpu, cpu.r[RDX]))) return cpu.raise_gp(0);
  const u64 mask = wide ? ~u64{0} : 0xffffffff;
  const u16 base = static_cast<u16>(cpu.msr.sysenter_cs);
  const u16 code = static_cast<u16>((base + (wide ? 32 : 16)) | 3);
  cpu.r[RSP] = cpu.r[RCX] & mask;
  cpu.rip = cpu.r[RDX] & mask;
  cpu.set_segment(Seg::CS, flat_code_segment(code, 3, wide));
  cpu.set_segment(Seg::SS, flat_stack_segment(static_cast<u16>((code + 8) | 3), 3));
  return Step::Branch;
}

}  // namespace softvt
