// Direct access to guest RAM for runs of string instructions. Implemented by the core, which owns
// the TLB.
#pragma once
#include "cpu/types.h"

namespace softvt {

class Cpu;

// Host address of `size` bytes at `linear`, all within one page, if the access is allowed now and
// the page is plain RAM (no device, no decoded code to be watched, no watchpoint). Null otherwise;
// no fault is posted.
u8* host_span(Cpu& cpu, u64 linear, unsigned size, bool write);

}  // namespace softvt
