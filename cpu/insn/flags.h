// Arithmetic flags of results.
#pragma once
#include "cpu/cpu.h"

namespace softvt::insn {

constexpr u64 flag_if(bool condition, u64 flag) { return condition ? flag : 0; }

// ZF, SF and PF of a result. SDM 1 3.4.3.1.
template <class T>
u64 result_flags(T v) {
  return flag_if(v == 0, rflags::ZF) | flag_if((v >> (sizeof(T) * 8 - 1)) & 1, rflags::SF) |
         flag_if(lazy::parity(v), rflags::PF);
}

// Replaces the arithmetic flags in `mask`.
inline void change_flags(Cpu& cpu, u64 mask, u64 values) {
  cpu.set_arithmetic_flags((cpu.arithmetic_flags() & ~mask) | (values & mask));
}

// The flags of `left - right`.
template <class T>
void set_compare_flags(Cpu& cpu, T left, T right) {
  cpu.cc_dst = static_cast<T>(left - right);
  cpu.cc_src = left;
  cpu.cc_op = lazy::op_of<T>(lazy::Sub);
}

// The flags of `sum`, the result of adding `addend` to something.
template <class T>
void set_add_flags(Cpu& cpu, T sum, T addend) {
  cpu.cc_dst = sum;
  cpu.cc_src = addend;
  cpu.cc_op = lazy::op_of<T>(lazy::Add);
}

}  // namespace softvt::insn
