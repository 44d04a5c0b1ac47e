// The mode word: everything about the processor's mode that the decoded form of an instruction
// depends on. It is part of the key of a block, so handlers need not check any of it.
#pragma once
#include "cpu/types.h"

namespace softvt::mode {

constexpr u32 kCode64 = 1 << 0;     // 64-bit mode
constexpr u32 kCsD = 1 << 1;        // CS.D
constexpr u32 kSsB = 1 << 2;        // SS.B
constexpr u32 kUser = 1 << 3;       // CPL 3
constexpr u32 kProtected = 1 << 4;  // CR0.PE and not virtual-8086
constexpr u32 kV86 = 1 << 5;
constexpr u32 kLong = 1 << 6;      // EFER.LMA
constexpr u32 kFlatData = 1 << 7;  // legacy: DS, ES, SS cover 0..4 GiB from base 0, writable
constexpr u32 kFlatCode = 1 << 8;  // 64-bit mode, or CS covers 0..4 GiB from base 0
constexpr u32 kOsfxsr = 1 << 9;
constexpr u32 kEm = 1 << 10;
constexpr u32 kTs = 1 << 11;
constexpr u32 kMp = 1 << 12;
constexpr u32 kOsxsave = 1 << 13;
constexpr u32 kAlign = 1 << 14;    // alignment checking is in force
constexpr u32 kOneInsn = 1 << 15;  // one instruction a block: TF, breakpoints, event shadows

}  // namespace softvt::mode
