// A stack pointer of one's own: for instructions that move several items, or check before they
// commit. RSP changes only with commit(). SDM 1 6.2.
#pragma once
#include "cpu/access.h"
#include "cpu/cpu.h"

namespace softvt::insn {

class StackCursor {
 public:
  explicit StackCursor(Cpu& cpu)
      : cpu_(cpu), mask_(size_mask(stack_size(cpu))), pointer_(stack_pointer(cpu)) {}

  u64 pointer() const { return pointer_; }
  void set_pointer(u64 pointer) { pointer_ = pointer & mask_; }
  void skip(i64 bytes) { set_pointer(pointer_ + static_cast<u64>(bytes)); }

  bool read(u64& value, unsigned size) const { return read_at(pointer_, value, size); }
  bool read_at(u64 offset, u64& value, unsigned size) const {
    u64 linear;
    value = 0;
    return segment_address(cpu_, Seg::SS, offset & mask_, size, Access::Read, linear) &&
           read_linear(cpu_, linear, &value, size);
  }

  bool pop(u64& value, unsigned size) {
    if (!read(value, size)) return false;
    skip(size);
    return true;
  }
  bool push(u64 value, unsigned size) {
    u64 linear;
    const u64 offset = (pointer_ - size) & mask_;
    if (!segment_address(cpu_, Seg::SS, offset, size, Access::Write, linear) ||
        !write_linear(cpu_, linear, &value, size)) {
      return false;
    }
    pointer_ = offset;
    return true;
  }
  // Would a write of `size` bytes at the pointer succeed? Posts the fault if not.
  bool writable(unsigned size) const {
    u64 linear;
    return segment_address(cpu_, Seg::SS, pointer_, size, Access::Write, linear) &&
           probe_write(cpu_, linear, size);
  }

  void commit() { set_stack_pointer(cpu_, pointer_); }

 private:
  Cpu& cpu_;
  u64 mask_;
  u64 pointer_;
};

}  // namespace softvt::insn
