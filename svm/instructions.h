// The SVM instructions, for guests (rows) and for native hypervisor code (functions).
// APM 3 "VMRUN", "VMLOAD", "VMSAVE", "STGI", "CLGI", "INVLPGA", "VMMCALL", "SKINIT".
#pragma once
#include <span>

#include "cpu/rows.h"
#include "svm/extension.h"

namespace softvt::svm {

std::span<const InsnRow> svm_rows();

// What the instructions do behind privilege checks and intercepts. The functions with an address
// post #GP(0) and return false if it is not page aligned or beyond the physical addresses.
bool address_acceptable(Cpu& cpu, u64 vmcb_pa);

// VMRUN by software that is not emulated: the host state is the processor's present state, to which
// the #VMEXIT returns. Fault: one is posted.
enum class VmrunResult : u8 { Entered, Exited, Invalid, Fault };
VmrunResult vmrun(Cpu& cpu, u64 vmcb_pa);
bool vmload(Cpu& cpu, u64 vmcb_pa);
bool vmsave(Cpu& cpu, u64 vmcb_pa);
void stgi(Cpu& cpu);
void clgi(Cpu& cpu);
void invlpga(Cpu& cpu, u64 linear, u32 asid);

}  // namespace softvt::svm
