#include "cpu/seg/stack_frame.h"

#include "cpu/access.h"
#include "cpu/seg/load.h"

namespace softvt {

namespace {

const Segment& task_register(const Cpu& cpu) { return cpu.seg[static_cast<unsigned>(Seg::TR)]; }

// SDM 3A 5.3 "Limit Checking".
bool room(const Segment& ss, u64 offset, u64 size) {
  if (ss.unusable()) return false;
  const u64 last = offset + size - 1;
  constexpr u32 expand_down = seg_rights::ExpandDown;
  if ((ss.rights & (seg_rights::Code | expand_down)) == expand_down) {
    const u64 top = (ss.rights & seg_rights::DB) ? 0xffffffff : 0xffff;
    return offset > ss.limit && last <= top;
  }
  return last <= ss.limit;
}

bool no_room(Cpu& cpu, const StackTarget& target) {
  cpu.raise(Vector::SS, target.error);
  return false;
}

}  // namespace

u64 merge_stack_pointer(u64 old, u64 value, unsigned width) {
  if (width == 2) return (old & ~u64{0xffff}) | (value & 0xffff);
  return width == 4 ? value & 0xffffffff : value;
}

StackTarget current_stack(const Cpu& cpu) {
  StackTarget t;
  t.ss = cpu.seg[static_cast<unsigned>(Seg::SS)];
  t.sp = cpu.r[RSP];
  t.width = stack_size(cpu);
  t.cpl = cpu.cpl();
  return t;
}

StackTarget legacy_stack(const Segment& ss, u64 sp, unsigned cpl, u32 error) {
  StackTarget t;
  t.ss = ss;
  t.sp = sp;
  t.width = (ss.rights & seg_rights::DB) ? 4 : 2;
  t.cpl = cpl;
  t.error = error;
  return t;
}

bool StackFrame::write(Cpu& cpu, const StackTarget& target, u64& new_sp) const {
  const u64 mask = size_mask(target.width);
  const u64 low = (target.sp - bytes()) & mask;
  new_sp = merge_stack_pointer(target.sp, low, target.width);
  if (count_ == 0) return true;
  if (target.width == 8) {
    if (!canonical(cpu, low) || !canonical(cpu, low + bytes() - 1)) return no_room(cpu, target);
    return write_block(cpu, target, low);
  }
  const bool wraps = low + bytes() - 1 > mask;
  const u64 linear = (target.ss.base + low) & 0xffffffff;
  const bool linear_wraps = linear + bytes() - 1 > 0xffffffff;
  if (wraps || linear_wraps) return write_items(cpu, target);
  if (!room(target.ss, low, bytes())) return no_room(cpu, target);
  return write_block(cpu, target, linear);
}

bool StackFrame::write_block(Cpu& cpu, const StackTarget& target, u64 linear) const {
  std::array<u8, kCapacity * 8> image;
  u8* at = image.data() + bytes();
  for (unsigned i = 0; i < count_; ++i) {
    at -= size_;
    __builtin_memcpy(at, &values_[i], size_);
  }
  return write_as(cpu, target.cpl, linear, image.data(), static_cast<unsigned>(bytes()));
}

bool StackFrame::write_items(Cpu& cpu, const StackTarget& target) const {
  const u64 mask = size_mask(target.width);
  u64 offset = target.sp;
  for (unsigned i = 0; i < count_; ++i) {
    offset = (offset - size_) & mask;
    if (!room(target.ss, offset, size_)) return no_room(cpu, target);
    const u64 linear = (target.ss.base + offset) & 0xffffffff;
    if (!write_as(cpu, target.cpl, linear, &values_[i], size_)) return false;
  }
  return true;
}

StackReader::StackReader(Cpu& cpu)
    : cpu_(cpu), mask_(size_mask(stack_size(cpu))), offset_(cpu.r[RSP]) {}

bool StackReader::pop(unsigned size, u64& value) {
  u64 linear;
  value = 0;
  if (!segment_address(cpu_, Seg::SS, offset_ & mask_, size, Access::Read, linear)) return false;
  if (!read_linear(cpu_, linear, &value, size)) return false;
  offset_ += size;
  return true;
}

u64 StackReader::sp() const { return merge_stack_pointer(cpu_.r[RSP], offset_, stack_size(cpu_)); }

bool inner_stack(Cpu& cpu, unsigned cpl, StackTarget& out) {
  const Segment& tss = task_register(cpu);
  const bool wide = (tss.type() & 8) != 0;
  const unsigned offset = wide ? 4 + 8 * cpl : 2 + 4 * cpl;
  const unsigned sp_size = wide ? 4 : 2;
  if (offset + sp_size + 1 > tss.limit) return fail_selector(cpu, Vector::TS, tss.selector);
  u64 sp = 0;
  u16 selector = 0;
  const u64 at = table_address(cpu, tss.base + offset);
  if (!read_system(cpu, at, &sp, sp_size)) return false;
  if (!read_system(cpu, table_address(cpu, at + sp_size), &selector, 2)) return false;
  Segment ss;
  if (!prepare_stack_segment(cpu, selector, cpl, Vector::TS, false, ss)) return false;
  out = legacy_stack(ss, sp, cpl, selector_error(selector));
  return true;
}

bool inner_stack64(Cpu& cpu, unsigned cpl, unsigned ist, StackTarget& out) {
  const Segment& tss = task_register(cpu);
  const unsigned offset = ist ? 0x24 + 8 * (ist - 1) : 4 + 8 * cpl;
  if (offset + 7 > tss.limit) return fail_selector(cpu, Vector::TS, tss.selector);
  out = StackTarget{};
  out.ss = null_stack_segment(cpl);
  out.cpl = cpl;
  return read_system(cpu, tss.base + offset, &out.sp, 8);
}

}  // namespace softvt
