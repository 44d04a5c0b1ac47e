// What all string instructions share: counter, index registers, direction, and how far a run may
// go. SDM 1 7.3.9 "String Operations", SDM 2B "REP/REPE/REPZ/REPNE/REPNZ".
#pragma once
#include <algorithm>

#include "cpu/insn/host_span.h"
#include "cpu/insn/operands.h"

namespace softvt::insn {

// A run is cut here, so that interrupts get their turn.
constexpr unsigned kRunBytes = kPageSize;

inline bool repeated(const Insn& in) {
  return (in.prefixes & (prefix::kRep | prefix::kRepne)) != 0;
}

inline u64 index_register(const Cpu& cpu, const Insn& in, Gpr reg) {
  return cpu.r[reg] & size_mask(in.addrsize);
}

inline void put_index_register(Cpu& cpu, const Insn& in, Gpr reg, u64 value) {
  switch (in.addrsize) {
    case 2:
      put_reg<u16>(cpu, reg * 8, static_cast<u16>(value));
      break;
    case 4:
      put_reg<u32>(cpu, reg * 8, static_cast<u32>(value));
      break;
    default:
      cpu.r[reg] = value;
  }
}

// Moves an index register by `elements` of `size` bytes in the direction of DF.
inline void advance(Cpu& cpu, const Insn& in, Gpr reg, unsigned size, u64 elements = 1) {
  const u64 bytes = elements * size, old = cpu.r[reg];
  put_index_register(cpu, in, reg, (cpu.rflags_rest & rflags::DF) ? old - bytes : old + bytes);
}

inline u64 repeat_count(const Cpu& cpu, const Insn& in) { return index_register(cpu, in, RCX); }

// A REP instruction found its count 0. With 32-bit addresses in 64-bit mode, Intel processors still
// zero-extend ECX, and the index registers given here.
inline Step finish_idle(Cpu& cpu, const Insn& in, bool source = false, bool destination = false) {
  if (in.addrsize == 4) {
    cpu.r[RCX] = 0;
    if (source) cpu.r[RSI] = static_cast<u32>(cpu.r[RSI]);
    if (destination) cpu.r[RDI] = static_cast<u32>(cpu.r[RDI]);
  }
  return Step::Next;
}

// Counts `elements` iterations. True when the count has come to 0.
inline bool count_down(Cpu& cpu, const Insn& in, u64 elements = 1) {
  put_index_register(cpu, in, RCX, repeat_count(cpu, in) - elements);
  return repeat_count(cpu, in) == 0;
}

inline Step finish_iterations(Cpu& cpu, const Insn& in, u64 elements = 1) {
  return !repeated(in) || count_down(cpu, in, elements) ? Step::Next : Step::Repeat;
}

inline bool source_address(Cpu& cpu, const Insn& in, unsigned size, u64& linear) {
  return segment_address(cpu, static_cast<Seg>(in.seg), index_register(cpu, in, RSI), size,
                         Access::Read, linear);
}

inline bool destination_address(Cpu& cpu, const Insn& in, unsigned size, Access access,
                                u64& linear) {
  return segment_address(cpu, Seg::ES, index_register(cpu, in, RDI), size, access, linear);
}

// ---- runs: many iterations in one step, upwards inside one page
// -----------------------------------
//
// How long a run is depends on architectural state alone, never on whether plain memory could be
// reached directly: the number of steps is virtual time, and must not depend on the TLB.

// Elements that follow from `linear` up without leaving its page, its segment or the address size;
// 0 if the access has to be looked at element by element. `offset` is the one in the segment.
u64 elements_in_reach(const Cpu& cpu, const Insn& in, Seg seg, u64 offset, u64 linear,
                      unsigned size);

// Whether a run may be tried at all: repeated, upwards, more than one iteration left, and no trap
// due after each iteration.
inline bool run_possible(const Cpu& cpu, const Insn& in) {
  return repeated(in) && !(cpu.rflags_rest & (rflags::DF | rflags::TF)) &&
         repeat_count(cpu, in) > 1;
}

inline u64 source_reach(const Cpu& cpu, const Insn& in, u64 linear, unsigned size) {
  return elements_in_reach(cpu, in, static_cast<Seg>(in.seg), index_register(cpu, in, RSI), linear,
                           size);
}

inline u64 destination_reach(const Cpu& cpu, const Insn& in, u64 linear, unsigned size) {
  return elements_in_reach(cpu, in, Seg::ES, index_register(cpu, in, RDI), linear, size);
}

// A run through the access functions: up to `limit` times one(), which does an iteration and counts
// it. A data breakpoint traps behind the iteration that hit it.
template <class One>
Step iterate(Cpu& cpu, u64 limit, One one) {
  for (u64 i = 0; i < limit; ++i) {
    const Step step = one();
    if (step != Step::Repeat || cpu.pending_dr6 != 0) return step;
  }
  return Step::Repeat;
}

}  // namespace softvt::insn
