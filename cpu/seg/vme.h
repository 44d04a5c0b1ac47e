// INT n in virtual-8086 mode. SDM 3B 21.3 "Interrupt and Exception Handling in Virtual-8086 Mode".
#pragma once
#include "cpu/cpu.h"

namespace softvt {

enum class V86Interrupt : u8 {
  Fault,       // #GP(0), posted (or the fault met on reading the bitmap)
  Protected,   // through the IDT
  Redirected,  // to the 8086 program's own handler
};

// SDM 3B 21.3, table 21-2 "Software Interrupt Handling Methods While in Virtual-8086 Mode".
V86Interrupt classify_v86_interrupt(Cpu& cpu, u8 vector);

}  // namespace softvt
