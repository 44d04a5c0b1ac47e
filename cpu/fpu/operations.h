// The functions behind the rows of rows.cpp, by file.
#pragma once
#include "cpu/insn.h"

namespace softvt {
class Cpu;
}

namespace softvt::fpu {

// arithmetic.cpp
Step arithmetic(Cpu& cpu, const Insn& in);  // FADD FMUL FSUB FSUBR FDIV FDIVR, FI.., F..P
Step fabs(Cpu& cpu, const Insn& in);
Step fchs(Cpu& cpu, const Insn& in);

// load_store.cpp
Step load(Cpu& cpu, const Insn& in);   // FLD, FILD, FBLD
Step store(Cpu& cpu, const Insn& in);  // FST, FSTP, FIST, FISTP, FISTTP, FBSTP
Step fxch(Cpu& cpu, const Insn& in);
Step fcmov(Cpu& cpu, const Insn& in);

// compare.cpp
Step compare(Cpu& cpu, const Insn& in);  // FCOM FCOMP FCOMPP FICOM FICOMP FUCOM FUCOMP FUCOMPP
Step compare_flags(Cpu& cpu, const Insn& in);  // FCOMI FCOMIP FUCOMI FUCOMIP
Step ftst(Cpu& cpu, const Insn& in);
Step fxam(Cpu& cpu, const Insn& in);

// control.cpp
Step fnop(Cpu& cpu, const Insn& in);
Step obsolete_nop(Cpu& cpu, const Insn& in);  // FENI FDISI FSETPM
Step fwait(Cpu& cpu, const Insn& in);
Step fninit(Cpu& cpu, const Insn& in);
Step fnclex(Cpu& cpu, const Insn& in);
Step fldcw(Cpu& cpu, const Insn& in);
Step fnstcw(Cpu& cpu, const Insn& in);
Step fnstsw(Cpu& cpu, const Insn& in);
Step ffree(Cpu& cpu, const Insn& in);  // FFREE FFREEP
Step fincstp(Cpu& cpu, const Insn& in);
Step fdecstp(Cpu& cpu, const Insn& in);

// environment.cpp
Step fnstenv(Cpu& cpu, const Insn& in);
Step fldenv(Cpu& cpu, const Insn& in);
Step fnsave(Cpu& cpu, const Insn& in);
Step frstor(Cpu& cpu, const Insn& in);

// fxsave.cpp; `64` is the form with REX.W
Step fxsave(Cpu& cpu, const Insn& in);
Step fxsave64(Cpu& cpu, const Insn& in);
Step fxrstor(Cpu& cpu, const Insn& in);
Step fxrstor64(Cpu& cpu, const Insn& in);

// xsave.cpp
Step xsave(Cpu& cpu, const Insn& in);
Step xsave64(Cpu& cpu, const Insn& in);
Step xsaveopt(Cpu& cpu, const Insn& in);
Step xsaveopt64(Cpu& cpu, const Insn& in);
Step xsavec(Cpu& cpu, const Insn& in);
Step xsavec64(Cpu& cpu, const Insn& in);
Step xsaves(Cpu& cpu, const Insn& in);
Step xsaves64(Cpu& cpu, const Insn& in);

// xrstor.cpp
Step xrstor(Cpu& cpu, const Insn& in);
Step xrstor64(Cpu& cpu, const Insn& in);
Step xrstors(Cpu& cpu, const Insn& in);
Step xrstors64(Cpu& cpu, const Insn& in);

// xcr.cpp
Step xgetbv(Cpu& cpu, const Insn& in);
Step xsetbv(Cpu& cpu, const Insn& in);

}  // namespace softvt::fpu
