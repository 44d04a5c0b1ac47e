// The instructions of this folder; the row table (rows.cpp) binds them by mnemonic and kind of
// operand.
#pragma once
#include "cpu/cpu.h"

namespace softvt {

// load_insns.cpp
Step mov_to_sreg(Cpu& cpu, const Insn& in);    // 8E: dst = Seg, src = GPR offset or memory
Step mov_from_sreg(Cpu& cpu, const Insn& in);  // 8C: src = Seg, dst = GPR offset or memory
Step push_sreg(Cpu& cpu, const Insn& in);      // 06 0E 16 1E 0F A0 0F A8: dst = Seg
Step pop_sreg(Cpu& cpu, const Insn& in);       // 07 17 1F 0F A1 0F A9: dst = Seg
Step lds(Cpu& cpu, const Insn& in);
Step les(Cpu& cpu, const Insn& in);
Step lfs(Cpu& cpu, const Insn& in);
Step lgs(Cpu& cpu, const Insn& in);
Step lss(Cpu& cpu, const Insn& in);

// table_insns.cpp
Step lldt(Cpu& cpu, const Insn& in);
Step ltr(Cpu& cpu, const Insn& in);
Step sldt(Cpu& cpu, const Insn& in);
Step str(Cpu& cpu, const Insn& in);
Step lgdt(Cpu& cpu, const Insn& in);
Step lidt(Cpu& cpu, const Insn& in);
Step sgdt(Cpu& cpu, const Insn& in);
Step sidt(Cpu& cpu, const Insn& in);

// verify_insns.cpp
Step lar(Cpu& cpu, const Insn& in);
Step lsl(Cpu& cpu, const Insn& in);
Step verr(Cpu& cpu, const Insn& in);
Step verw(Cpu& cpu, const Insn& in);
Step arpl(Cpu& cpu, const Insn& in);

// base_insns.cpp
Step rdfsbase(Cpu& cpu, const Insn& in);
Step rdgsbase(Cpu& cpu, const Insn& in);
Step wrfsbase(Cpu& cpu, const Insn& in);
Step wrgsbase(Cpu& cpu, const Insn& in);
Step swapgs(Cpu& cpu, const Insn& in);

// near.cpp. Direct branches: in.imm is the signed displacement.
Step near_jump(Cpu& cpu, const Insn& in);
Step near_call(Cpu& cpu, const Insn& in);
Step near_return(Cpu& cpu, const Insn& in);
Step jump_if(Cpu& cpu, const Insn& in);  // Jcc; the low four bits of in.opcode are the condition
Step loop(Cpu& cpu, const Insn& in);     // LOOP, LOOPE, LOOPNE by opcode; counter = address size
Step jump_if_counter_zero(Cpu& cpu, const Insn& in);

// far_jump.cpp, far_call.cpp, far_return.cpp, iret.cpp
Step far_jump(Cpu& cpu, const Insn& in);
Step far_call(Cpu& cpu, const Insn& in);
Step far_return(Cpu& cpu, const Insn& in);
Step iret(Cpu& cpu, const Insn& in);

// Near or far by form and opcode (rows.cpp).
Step any_jump(Cpu& cpu, const Insn& in);
Step any_call(Cpu& cpu, const Insn& in);
Step any_return(Cpu& cpu, const Insn& in);

// interrupt_insns.cpp
Step int_n(Cpu& cpu, const Insn& in);
Step int3(Cpu& cpu, const Insn& in);
Step into(Cpu& cpu, const Insn& in);
Step int1(Cpu& cpu, const Insn& in);

// fast_syscall.cpp
Step syscall(Cpu& cpu, const Insn& in);
Step sysret(Cpu& cpu, const Insn& in);
Step sysenter(Cpu& cpu, const Insn& in);
Step sysexit(Cpu& cpu, const Insn& in);

}  // namespace softvt
