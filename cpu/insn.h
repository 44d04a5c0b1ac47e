// The decoded form of one instruction, and what a function that executes one looks like.
#pragma once
#include "cpu/types.h"

namespace softvt {

class Cpu;
struct Insn;

// What a cold instruction did.
enum class Step : u8 {
  Next,      // done, go on behind it (RIP need not be written)
  Branch,    // done, cpu.rip holds the target
  EndBlock,  // done, go on behind it, but mode, paging, IF or code changed: look the block up anew
  Repeat,    // an iteration of a REP instruction is done; execute the same instruction again
  Fault,     // not done: an event was posted with cpu.raise(); all state as before it
  VmExit,    // a VM exit or VM entry replaced the state; cpu.rip is already right
  Stop,      // done, RIP behind it; leave the run loop (HLT, shutdown); cpu.activity says why
};

using ColdFn = Step (*)(Cpu&, const Insn&);

// Where the operands are. "R" is a register in `dst`/`src`, "M" the memory operand, "I" imm.
// The first letter is the destination (or the first operand of CMP, TEST, PUSH ...).
enum class Form : u8 { None, R, M, I, RR, RM, MR, RI, MI, Far };

// Which registers `dst`, `src`, `reg3` name.
// General registers are byte offsets into Cpu::r (RAX = 0, RCX = 8, ...; AH = 1, CH = 9, ...).
// XMM, MMX, x87, segment, control and debug registers are plain numbers.
namespace slot {
constexpr u8 kZero = 16;      // always 0: "no base", "no index"
constexpr u8 kCodePage = 17;  // linear address of the page that holds the running block
constexpr u8 kSegBase = 18;   // 18..23: bases of ES CS SS DS FS GS
constexpr u8 kCount = 24;
}  // namespace slot

enum class Seg : u8 { ES = 0, CS = 1, SS = 2, DS = 3, FS = 4, GS = 5, LDTR = 6, TR = 7 };

namespace prefix {
constexpr u8 kRep = 1;    // F3
constexpr u8 kRepne = 2;  // F2
constexpr u8 kLock = 4;
constexpr u8 kOpSize = 8;  // 66
constexpr u8 kRexW = 16;
}  // namespace prefix

namespace insn_flag {
constexpr u8 kRipRaw =
    1;  // RIP-relative and disp counts from the next instruction (see decode.cpp)
constexpr u8 kSamePage = 2;  // direct branch to its own page
constexpr u8 kMoffs = 4;     // memory operand is the absolute address in imm
}  // namespace insn_flag

#ifdef SOFTVT_RETURNING_SHELL
using Handler = Insn* (*)(Cpu*, Insn*);
#else
using Handler = void (*)(Cpu*, Insn*, u64 cc_dst, u64 cc_src, u64 cc_op, i64 budget);
#endif

struct Insn {
  Handler h;
  Handler slow;  // the same instruction with out-of-line memory access; null for cold ones
  union {
    Insn* link;  // direct branches inside the page
    ColdFn fn;   // instructions executed by a function
  };
  i64 imm;       // immediate, sign-extended; branches: target as offset from the page start;
                 // Far: the offset; MOV moffs: the address is here, not in disp
  i32 disp;      // displacement; second immediate of ENTER; selector of Far
  u8 dst, src;   // registers (see slot)
  u8 base, idx;  // memory operand: byte offsets into Cpu::r, kZero*8 if none
  u8 scale;      // memory operand: shift count of the index, 0..3
  u8 len;        // bytes of the instruction
  u16 pofs;      // its offset in the page
  u8 segslot;    // memory operand: byte offset in Cpu::r of the base that is added (or of kZero)
  u8 flags;      // insn_flag
  u16 cnt;       // instructions in the block up to and including this one
  u8 seg;        // memory operand: Seg
  u8 opsize;     // operand size in bytes: 1, 2, 4, 8 (general), 16 (XMM)
  u8 addrsize;   // address size in bytes: 2, 4, 8
  Form form;
  u8 reg3;      // third register operand (XMM number or byte offset), also CL of shifts
  u8 prefixes;  // prefix::
  u8 msize;     // bytes of the memory operand; 0 where the instruction decides itself
  u8 opcode;    // last opcode byte
};
static_assert(sizeof(Insn) == 56);

}  // namespace softvt
