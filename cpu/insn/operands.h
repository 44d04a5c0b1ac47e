// Operands of general-purpose instructions: a register or memory, of any of the operand sizes.
#pragma once
#include <type_traits>

#include "cpu/access.h"
#include "cpu/cpu.h"

namespace softvt::insn {

constexpr u8 kAl = 0, kAh = 1, kAx = 0, kCl = 8, kCx = 8, kDx = 16, kBx = 24, kSp = 32, kBp = 40,
             kSi = 48, kDi = 56;  // byte offsets into Cpu::r

template <class T>
constexpr unsigned kBits = sizeof(T) * 8;

template <class T>
constexpr bool top_bit(T v) {
  return (v >> (kBits<T> - 1)) & 1;
}

// Calls f with a zero of the unsigned type that has `size` bytes.
template <class F>
Step for_size(unsigned size, F f) {
  switch (size) {
    case 1:
      return f(u8{});
    case 2:
      return f(u16{});
    case 4:
      return f(u32{});
    default:
      return f(u64{});
  }
}

// The same for instructions without a byte form.
template <class F>
Step for_word_size(unsigned size, F f) {
  return size == 2 ? f(u16{}) : size == 4 ? f(u32{}) : f(u64{});
}

// The same for the VEX-encoded instructions, which have only 32 and 64 bits.
template <class F>
Step for_dword_size(unsigned size, F f) {
  return size == 8 ? f(u64{}) : f(u32{});
}

inline bool has_memory(const Insn& in) {
  return in.form == Form::M || in.form == Form::MR || in.form == Form::MI || in.form == Form::RM;
}

// A source that is the memory operand if the instruction has one, else register `reg`.
template <class T>
bool fetch(Cpu& cpu, const Insn& in, u8 reg, T& value) {
  if (has_memory(in)) return load_operand(cpu, in, value);
  value = get_reg<T>(cpu, reg);
  return true;
}

// A destination that is read, changed and written. open() leaves no way for write() to fault.
template <class T>
class Target {
 public:
  bool open(Cpu& cpu, const Insn& in) {
    if (!has_memory(in)) {
      value_ = get_reg<T>(cpu, in.dst);
      return true;
    }
    return operand_address(cpu, in, sizeof(T), Access::ReadWrite, linear_) && open_linear(cpu);
  }
  // A memory target at an address that the instruction worked out itself.
  bool open_at(Cpu& cpu, u64 linear) {
    linear_ = linear;
    return open_linear(cpu);
  }
  T value() const { return value_; }
  void write(Cpu& cpu, const Insn& in, T v) const {
    if (has_memory(in)) {
      (void)write_linear(cpu, linear_, &v, sizeof(T));
    } else {
      put_reg<T>(cpu, in.dst, v);
    }
  }

 private:
  bool open_linear(Cpu& cpu) {
    return probe_write(cpu, linear_, sizeof(T)) && read_linear(cpu, linear_, &value_, sizeof(T));
  }
  T value_ = 0;
  u64 linear_ = 0;
};

}  // namespace softvt::insn
