// What an instruction returns once intercept() said true.
#pragma once
#include "cpu/cpu.h"

namespace softvt {

// Usually the exit has replaced the state. The extension may instead have posted a fault, as for
// instructions that a VMX control disables (#UD). SDM 3C 26.3 "Changes to Instruction Behavior in
// VMX Non-Root Operation".
inline Step intercepted_step(const Cpu& cpu) { return cpu.faulted() ? Step::Fault : Step::VmExit; }

}  // namespace softvt
