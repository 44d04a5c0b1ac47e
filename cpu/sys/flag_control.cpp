// CLI, STI, CLAC, STAC, RDPKRU, WRPKRU.
#include "cpu/sys/control_regs.h"
#include "cpu/sys/handlers.h"

namespace softvt {
namespace {

// Which flag CLI and STI change. SDM 2A "CLI", table 3-7; SDM 2B "STI", table 4-19.
enum class Target : u8 { If, Vif, Refused };

Target interrupt_flag_target(const Cpu& cpu) {
  if (!cpu.protected_mode()) return Target::If;
  const unsigned iopl = (cpu.rflags_rest & rflags::IOPL) >> 12;
  if (cpu.cpl() <= iopl) return Target::If;
  const u64 enable = cpu.v86() ? cr4::VME : cr4::PVI;
  return cpu.cpl() == 3 && (cpu.cr4 & enable) ? Target::Vif : Target::Refused;
}

Step set_ac(Cpu& cpu, bool on) {
  if (cpu.cpl() != 0) return cpu.raise_ud();
  const u64 f = cpu.flags();
  cpu.set_flags(on ? f | rflags::AC : f & ~rflags::AC);
  return Step::EndBlock;
}

bool upper_registers_clear(const Cpu& cpu, bool edx_too) {
  return get_reg<u32>(cpu, RCX * 8) == 0 && (!edx_too || get_reg<u32>(cpu, RDX * 8) == 0);
}

}  // namespace

Step cli(Cpu& cpu, const Insn&) {
  const Target target = interrupt_flag_target(cpu);
  if (target == Target::Refused) return cpu.raise_gp(0);
  cpu.set_flags(cpu.flags() & ~(target == Target::If ? rflags::IF : rflags::VIF));
  return Step::Next;  // IF is no part of the mode word, and less can happen than before
}

Step sti(Cpu& cpu, const Insn&) {
  const Target target = interrupt_flag_target(cpu);
  if (target == Target::Refused) return cpu.raise_gp(0);
  const u64 f = cpu.flags();
  if (target == Target::Vif) {
    if (f & rflags::VIP) return cpu.raise_gp(0);
    cpu.set_flags(f | rflags::VIF);
    return Step::EndBlock;
  }
  cpu.set_flags(f | rflags::IF);
  // Only a change from 0 to 1 delays interrupts by one instruction.
  if ((f & rflags::IF) == 0) cpu.shadow = Shadow::Sti;
  return Step::EndBlock;
}

Step clac(Cpu& cpu, const Insn&) { return set_ac(cpu, false); }
Step stac(Cpu& cpu, const Insn&) { return set_ac(cpu, true); }

Step rdpkru(Cpu& cpu, const Insn&) {
  if ((cpu.cr4 & cr4::PKE) == 0) return cpu.raise_ud();
  if (!upper_registers_clear(cpu, false)) return cpu.raise_gp(0);
  put_reg<u32>(cpu, RAX * 8, cpu.pkru);
  put_reg<u32>(cpu, RDX * 8, 0);
  return Step::Next;
}

Step wrpkru(Cpu& cpu, const Insn&) {
  if ((cpu.cr4 & cr4::PKE) == 0) return cpu.raise_ud();
  if (!upper_registers_clear(cpu, true)) return cpu.raise_gp(0);
  set_pkru(cpu, get_reg<u32>(cpu, RAX * 8));
  return Step::EndBlock;
}

}  // namespace softvt
