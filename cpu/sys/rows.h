// System instructions: control and debug registers, I/O, MSRs, TLB and cache control, halting.
#pragma once
#include <span>

#include "cpu/rows.h"

namespace softvt {

std::span<const InsnRow> system_rows();

// MOV with a control or debug register shares its mnemonic with all other MOVs, so the binder picks
// these by operand. Form RR: the control or debug register is a plain number, the other one a byte
// offset into Cpu::r. All of them may change what the next instruction is; to_* end the block.
Step mov_from_cr(Cpu& cpu, const Insn& in);
Step mov_to_cr(Cpu& cpu, const Insn& in);
Step mov_from_dr(Cpu& cpu, const Insn& in);
Step mov_to_dr(Cpu& cpu, const Insn& in);

}  // namespace softvt
