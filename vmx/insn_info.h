// The VM-exit instruction-information field and the qualification of instructions with a memory
// operand. SDM 3C 28.2.5 "Information for VM Exits Due to Instruction Execution".
#pragma once
#include "cpu/cpu.h"

namespace softvt::vmx {

// Displacement of the memory operand; with RIP-relative addressing the whole address.
u64 displacement(const Cpu& cpu, const Insn& in);

u32 ins_outs_info(const Insn& in, bool outs);                      // table 28-9
u32 memory_info(const Insn& in);                                   // VMCLEAR, XSAVES ...: 28-14
u32 memory_and_register_info(const Insn& in, u8 reg2);             // INVEPT ...: 28-10
u32 register_or_memory_info(const Insn& in, u8 operand, u8 reg2);  // VMREAD, VMWRITE: 28-15
u32 table_info(const Insn& in, unsigned identity);                 // LGDT ...: 28-11
u32 selector_info(const Insn& in, unsigned identity);              // LLDT ...: 28-12
u32 random_info(const Insn& in);                                   // RDRAND, RDSEED: 28-13

}  // namespace softvt::vmx
