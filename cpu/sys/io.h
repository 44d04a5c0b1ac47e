// Port I/O: the permission check and the way to the bus, shared by IN, OUT, INS and OUTS.
// SDM 1 chapter 19 "Input/Output".
#pragma once
#include "cpu/cpu.h"

namespace softvt {

// IOPL and I/O permission bitmap. False: a fault is posted. SDM 1 19.5 "Protected-Mode I/O".
bool io_allowed(Cpu& cpu, u16 port, unsigned size);

// The access itself, at the virtual time of this instruction; notes I/O breakpoints.
u32 port_read(Cpu& cpu, u16 port, unsigned size);
void port_write(Cpu& cpu, u16 port, u32 value, unsigned size);

}  // namespace softvt
