// Breakpoints of the debug registers. SDM 3B 18.2 "Debug Registers".
#pragma once
#include "cpu/cpu.h"

namespace softvt {

namespace dr6 {
constexpr u64 B0 = 1 << 0, BD = 1 << 13, BS = 1 << 14, BT = 1 << 15;
constexpr u64 Fixed1 = 0xffff0ff0;
constexpr u64 Writable = 0xf | BD | BS | BT;
}  // namespace dr6

namespace dr7 {
constexpr u64 EnableMask = 0xff, GD = 1 << 13;
constexpr u64 Fixed1 = 1 << 10;
constexpr u64 Writable = 0xffff23ff;
}  // namespace dr7

// Quick test: can any breakpoint match at all?
inline bool breakpoints_enabled(const Cpu& cpu) { return (cpu.dr7 & dr7::EnableMask) != 0; }

// DR6 bits B0..B3 of the enabled breakpoints that the access meets; 0 if none.
u64 match_data_breakpoints(const Cpu& cpu, u64 linear, unsigned size, bool write);
u64 match_instruction_breakpoint(const Cpu& cpu, u64 linear);
u64 match_io_breakpoint(const Cpu& cpu, u16 port, unsigned size);

}  // namespace softvt
