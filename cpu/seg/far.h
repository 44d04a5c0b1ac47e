// Far transfers: what JMP, CALL, RET and IRET share.
#pragma once
#include "cpu/seg/load.h"
#include "cpu/seg/stack_frame.h"

namespace softvt {

struct FarPointer {
  u16 selector = 0;
  u64 offset = 0;
  unsigned size = 4;  // operand size in bytes
};

// The operand of a far JMP or CALL: immediate or in memory.
bool far_operand(Cpu& cpu, const Insn& in, FarPointer& out);

// Where a far JMP or CALL through a descriptor ends up.
struct FarTarget {
  u16 selector = 0;
  Descriptor code;
  u64 ip = 0;
  unsigned size = 4;        // of the words that CALL pushes
  unsigned parameters = 0;  // words that a call gate copies
};

// SDM 3A 5.8.1 "Direct Calls or Jumps to Code Segments": type, privilege and presence.
bool direct_target(Cpu& cpu, const FarPointer& pointer, const Descriptor& d, FarTarget& out);

enum class GateUse : u8 { Jump, Call };
// SDM 3A 5.8.4 "Accessing a Code Segment Through a Call Gate": checks gate and code segment.
bool gate_target(Cpu& cpu, u16 gate_selector, Descriptor gate, GateUse use, FarTarget& out);

// SDM 3A 8.3: a far JMP or CALL to a TSS or task gate; `d` is what the selector names.
Step far_task_switch(Cpu& cpu, u16 selector, const Descriptor& d, GateUse use);

// Reads the descriptor that a far pointer names; #GP for null and outside.
bool fetch_far_descriptor(Cpu& cpu, u16 selector, Descriptor& out);

// Puts CS:RIP in place. `cpl` becomes the RPL of CS.
void commit_code(Cpu& cpu, Segment cs, unsigned cpl, u64 ip);
// Real and virtual-8086 mode.
void commit_real_code(Cpu& cpu, u16 selector, u64 ip);

// Return to an outer level, or any return that loads SS:RSP too. SDM 3A 5.8.6.
bool prepare_return_stack(Cpu& cpu, const Segment& cs, u16 selector, Segment& out);

}  // namespace softvt
