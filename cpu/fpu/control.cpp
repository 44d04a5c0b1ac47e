// Control instructions. SDM 1 8.3.11 "x87 FPU Control Instructions".
#include "cpu/access.h"
#include "cpu/fpu/operations.h"
#include "cpu/fpu/state.h"

namespace softvt::fpu {

Step fnop(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  return Step::Next;
}

// FENI, FDISI of the 8087 and FSETPM of the 287 do nothing today. SDM 3B 23.18.9.
Step obsolete_nop(Cpu&, const Insn&) { return Step::Next; }

Step fwait(Cpu& cpu, const Insn&) { return begin(cpu) ? Step::Next : Step::Fault; }

Step fninit(Cpu& cpu, const Insn&) {
  initialise(cpu.fpu);
  return Step::Next;
}

Step fnclex(Cpu& cpu, const Insn&) {
  X87State& s = cpu.fpu;
  s.fsw = static_cast<u16>(s.fsw & ~(fsw::Exceptions | fsw::SF | fsw::ES | fsw::B));
  return Step::Next;
}

Step fldcw(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  u16 value;
  if (!load_operand(cpu, in, value)) return Step::Fault;
  set_control(cpu.fpu, value);
  update_summary(cpu.fpu);
  return Step::Next;
}

Step fnstcw(Cpu& cpu, const Insn& in) {
  return store_operand(cpu, in, cpu.fpu.fcw) ? Step::Next : Step::Fault;
}

Step fnstsw(Cpu& cpu, const Insn& in) {
  if (!Encoding(in).memory()) {
    put_reg<u16>(cpu, RAX * 8, cpu.fpu.fsw);
    return Step::Next;
  }
  return store_operand(cpu, in, cpu.fpu.fsw) ? Step::Next : Step::Fault;
}

Step ffree(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  const Encoding code(in);
  free_st(cpu.fpu, code.rm());
  if (code.opcode == 0xdf) pop(cpu.fpu);  // FFREEP, DF C0+i
  return Step::Next;
}

static Step move_top(Cpu& cpu, const Insn& in, unsigned distance) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  set_codes(cpu.fpu, fsw::C1, 0);
  set_top(cpu.fpu, top(cpu.fpu) + distance);
  return Step::Next;
}
Step fincstp(Cpu& cpu, const Insn& in) { return move_top(cpu, in, 1); }
Step fdecstp(Cpu& cpu, const Insn& in) { return move_top(cpu, in, 7); }

}  // namespace softvt::fpu
