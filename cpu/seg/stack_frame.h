// Frames that control transfers push and pop. Nothing of the processor changes here: callers commit
// the new stack pointer when all else has succeeded.
#pragma once
#include <array>

#include "cpu/cpu.h"

namespace softvt {

// The stack that a frame goes to; not necessarily the one in SS:RSP.
struct StackTarget {
  Segment ss;
  u64 sp = 0;
  unsigned width = 8;  // 2, 4, 8: how much of SP is used
  unsigned cpl = 0;    // rights of the writes
  u32 error = 0;       // error code of #SS if there is no room
};

StackTarget current_stack(const Cpu& cpu);
// A stack of an inner level or another task outside 64-bit mode.
StackTarget legacy_stack(const Segment& ss, u64 sp, unsigned cpl, u32 error);

// A frame of items of one size.
class StackFrame {
 public:
  static constexpr unsigned kCapacity = 40;  // 31 parameters and the four words of a call gate

  explicit StackFrame(unsigned size) : size_(size) {}
  void push(u64 value) {
    if (count_ < kCapacity) values_[count_++] = value;
  }
  // Writes the frame; `new_sp` is RSP behind it. False: a fault is posted.
  bool write(Cpu& cpu, const StackTarget& target, u64& new_sp) const;

 private:
  u64 bytes() const { return u64{count_} * size_; }
  bool write_block(Cpu& cpu, const StackTarget& target, u64 offset) const;
  bool write_items(Cpu& cpu, const StackTarget& target) const;

  unsigned size_;
  unsigned count_ = 0;
  std::array<u64, kCapacity> values_{};
};

// Pops from the current stack without moving RSP.
class StackReader {
 public:
  explicit StackReader(Cpu& cpu);
  bool pop(unsigned size, u64& value);
  void skip(u64 bytes) { offset_ += bytes; }
  // RSP behind what was read.
  u64 sp() const;

 private:
  Cpu& cpu_;
  u64 mask_;
  u64 offset_;
};

// RSP with `value` in the bits that a stack of `width` bytes uses.
u64 merge_stack_pointer(u64 old, u64 value, unsigned width);

// The inner stack of privilege level `cpl` from the TSS, outside IA-32e mode.
// SDM 3A 5.8.5 "Stack Switching".
bool inner_stack(Cpu& cpu, unsigned cpl, StackTarget& out);
// IA-32e mode: SS becomes null. `ist` 1..7 chooses an entry of the interrupt stack table.
// SDM 3A 8.7 "Task Management in 64-bit Mode".
bool inner_stack64(Cpu& cpu, unsigned cpl, unsigned ist, StackTarget& out);

}  // namespace softvt
