// The shapes of stack instructions: which registers go in, which come out, what is popped or
// pushed. A row of rows.cpp names a shape and the host's instruction.
#pragma once
#include "cpu/fpu/host_x87.h"
#include "cpu/fpu/state.h"

namespace softvt::fpu {

// ST(0) <- f(ST(0)).
template <u8 Opcode, u8 ModRm, u16 Codes>
Step unary(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  X87State& s = cpu.fpu;
  if (empty(s, 0)) {
    if (stack_underflow(s, Codes)) put_st(s, 0, kIndefinite);
    return Step::Next;
  }
  const HostResult result = host_unary<Opcode, ModRm>(host_control(s), st(s, 0));
  if (settle(s, result.fsw, Codes)) put_st(s, 0, result.value);
  return Step::Next;
}

// ST(0) <- f(ST(0)), and g(ST(0)) is pushed; if C2 reports an operand out of range nothing changes.
template <u8 Opcode, u8 ModRm, u16 Codes>
Step unary_push(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  X87State& s = cpu.fpu;
  const bool underflow = empty(s, 0);
  if (underflow || !empty(s, 7)) {
    if (underflow ? stack_underflow(s, Codes) : stack_overflow(s, Codes)) {
      put_st(s, 0, kIndefinite);
      push(s, kIndefinite);
    }
    return Step::Next;
  }
  const HostResult result = host_unary_push<Opcode, ModRm>(host_control(s), st(s, 0));
  if (!settle(s, result.fsw, Codes)) return Step::Next;
  if ((Codes & result.fsw & fsw::C2) != 0) return Step::Next;
  put_st(s, 0, result.value);
  push(s, result.second);
  return Step::Next;
}

// ST(0) <- f(ST(0), ST(1)); with `Pop` the result replaces ST(1) and the stack is popped.
template <u8 Opcode, u8 ModRm, u16 Codes, bool Pop>
Step binary(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  X87State& s = cpu.fpu;
  HostResult result{kIndefinite, {}, 0};
  if (empty(s, 0) || empty(s, 1)) {
    if (!stack_underflow(s, Codes)) return Step::Next;
  } else {
    result = host_binary<Opcode, ModRm>(host_control(s), st(s, 0), st(s, 1));
    // A remainder that is a NaN has no quotient: C0 and C3 stay.
    const u16 codes = is_nan(result.value) ? Codes & (fsw::C1 | fsw::C2) : Codes;
    if (!settle(s, result.fsw, codes)) return Step::Next;
  }
  if (Pop) pop(s);
  put_st(s, 0, result.value);
  return Step::Next;
}

// Pushes a constant; the host rounds it by the guest's rounding control.
// SDM 2A "FLD1/FLDL2T/FLDL2E/FLDPI/FLDLG2/FLDLN2/FLDZ".
template <u8 Opcode, u8 ModRm>
Step constant(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  X87State& s = cpu.fpu;
  if (!empty(s, 7)) {
    if (stack_overflow(s)) push(s, kIndefinite);
    return Step::Next;
  }
  set_codes(s, fsw::C1, 0);
  push(s, host_constant<Opcode, ModRm>(host_control(s)).value);
  return Step::Next;
}

}  // namespace softvt::fpu
