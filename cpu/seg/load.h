// Checks and loads of segment registers. The prepare_ functions check and fetch without changing
// the processor, so that an instruction can still fault; Cpu::set_segment() commits.
// SDM 3A 5.6 "Privilege Level Checking When Accessing Data Segments", 5.7, 5.8.1.
#pragma once
#include "cpu/seg/descriptor.h"

namespace softvt {

// Selector and hidden part in real-address and virtual-8086 mode: base = selector * 16.
// SDM 3B 21.1.1, 21.2.1. Real mode keeps limit and size ("big real mode").
Segment real_mode_segment(const Cpu& cpu, Seg which, u16 selector);

// A data segment register that holds a null selector.
Segment null_segment(const Cpu& cpu, Seg which, u16 selector);
// SS with a null selector in 64-bit mode; its DPL still tells the CPL.
Segment null_stack_segment(unsigned cpl);

// Flat segments that SYSCALL and its kin load without looking into a table.
Segment flat_code_segment(u16 selector, unsigned dpl, bool long_mode);
Segment flat_stack_segment(u16 selector, unsigned dpl);

// DS, ES, FS, GS. Bad selectors raise `bad` (#GP, or #TS in a task switch), absent ones #NP.
bool prepare_data_segment(Cpu& cpu, Seg which, u16 selector, unsigned cpl, Vector bad,
                          Segment& out);
// SS for privilege level `cpl`. Bad selectors raise `bad`, absent segments #SS.
bool prepare_stack_segment(Cpu& cpu, u16 selector, unsigned cpl, Vector bad, bool null_allowed,
                           Segment& out);
// CS that a far return, IRET or task switch goes to, with the RPL of the selector as the new CPL.
bool prepare_return_code_segment(Cpu& cpu, u16 selector, Vector bad, Segment& out);

// A code segment that IA-32e mode accepts: not both L and D. SDM 3A 5.2.1.
bool valid_code_segment(const Cpu& cpu, const Descriptor& d);

// Is `ip` inside the code segment (limit, or canonical in 64-bit mode)? Else #GP(0).
bool check_ip(Cpu& cpu, const Segment& cs, u64 ip);

// LDTR for LLDT and task switches; `not_present` is #NP or #TS.
bool prepare_ldt(Cpu& cpu, u16 selector, Vector bad, Vector not_present, Segment& out);

// Loads DS, ES, FS, GS or SS as MOV, POP and LDS do, in any mode.
bool load_segment(Cpu& cpu, Seg which, u16 selector);

// On return to an outer level: data segments that the new CPL must not see become null.
// SDM 3A 5.8.6 "Returning from a Called Procedure".
void drop_inner_segments(Cpu& cpu);

}  // namespace softvt
