// INT n, INT3, INTO, INT1. They post an event; delivery pushes the RIP behind them.
// SDM 2A "INT n/INTO/INT3/INT1—Call to Interrupt Procedure".
#include "cpu/seg/deliver.h"
#include "cpu/seg/insns.h"
#include "cpu/seg/vme.h"

namespace softvt {

Step int_n(Cpu& cpu, const Insn& in) {
  const u8 vector = static_cast<u8>(in.imm);
  if (cpu.intercepted(in, Intercept::SoftwareInt, vector)) return Step::VmExit;
  // The #GP of virtual-8086 mode is one of the instruction, not of the delivery.
  if (cpu.v86() && classify_v86_interrupt(cpu, vector) == V86Interrupt::Fault) return Step::Fault;
  return raise_software(cpu, vector, EventType::SoftwareInterrupt);
}

Step int3(Cpu& cpu, const Insn&) {
  return raise_software(cpu, static_cast<u8>(Vector::BP), EventType::SoftwareException);
}

Step into(Cpu& cpu, const Insn&) {
  if ((cpu.arithmetic_flags() & rflags::OF) == 0) return Step::Next;
  return raise_software(cpu, static_cast<u8>(Vector::OF), EventType::SoftwareException);
}

Step int1(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, Intercept::Icebp)) return Step::VmExit;
  return raise_software(cpu, static_cast<u8>(Vector::DB), EventType::PrivilegedSoftwareException);
}

}  // namespace softvt
