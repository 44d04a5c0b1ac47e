#include "cpu/seg/descriptor.h"

#include "cpu/access.h"

namespace softvt {

namespace {

constexpr u8 kAccessedBit = 1;
constexpr u8 kBusyBit = 2;
constexpr unsigned kTypeByte = 5;  // byte of a descriptor that holds type, S, DPL and P

// Address of `size` bytes at `offset` behind the descriptor's begin; false if outside the table.
bool locate(const Cpu& cpu, u16 selector, unsigned size, u64& linear) {
  const unsigned offset = selector & 0xfff8;
  const unsigned last = offset + size - 1;
  if (selector_in_ldt(selector)) {
    const Segment& ldt = cpu.seg[static_cast<unsigned>(Seg::LDTR)];
    if (ldt.unusable() || last > ldt.limit) return false;
    linear = table_address(cpu, ldt.base + offset);
    return true;
  }
  if (last > cpu.gdtr.limit) return false;
  linear = table_address(cpu, cpu.gdtr.base + offset);
  return true;
}

bool write_type_byte(Cpu& cpu, const Descriptor& d, u8 value) {
  return write_system(cpu, table_address(cpu, d.linear + kTypeByte), &value, 1);
}

}  // namespace

bool fail_selector(Cpu& cpu, Vector vector, u16 selector) {
  cpu.raise(vector, selector_error(selector));
  return false;
}

Fetch fetch_descriptor(Cpu& cpu, u16 selector, Descriptor& out) {
  out = Descriptor{};
  if (!locate(cpu, selector, 8, out.linear)) return Fetch::Outside;
  return read_system(cpu, out.linear, &out.low, 8) ? Fetch::Found : Fetch::Fault;
}

bool fetch_descriptor_or_raise(Cpu& cpu, u16 selector, Vector outside, Descriptor& out) {
  const Fetch result = fetch_descriptor(cpu, selector, out);
  if (result == Fetch::Outside) return fail_selector(cpu, outside, selector);
  return result == Fetch::Found;
}

Fetch fetch_second_half(Cpu& cpu, u16 selector, Descriptor& descriptor) {
  u64 linear;
  if (!locate(cpu, selector, 16, linear)) return Fetch::Outside;
  return read_system(cpu, linear + 8, &descriptor.high, 8) ? Fetch::Found : Fetch::Fault;
}

bool fetch_second_half_or_raise(Cpu& cpu, u16 selector, Vector bad, Descriptor& descriptor) {
  const Fetch result = fetch_second_half(cpu, selector, descriptor);
  if (result == Fetch::Fault) return false;
  const bool type_is_zero = ((descriptor.high >> 40) & 0x1f) == 0;
  if (result == Fetch::Outside || !type_is_zero) return fail_selector(cpu, bad, selector);
  return true;
}

bool mark_accessed(Cpu& cpu, Descriptor& descriptor) {
  if (descriptor.rights() & seg_rights::Accessed) return true;
  const u8 value = static_cast<u8>(descriptor.low >> 40) | kAccessedBit;
  if (!write_type_byte(cpu, descriptor, value)) return false;
  descriptor.low |= u64{kAccessedBit} << 40;
  return true;
}

bool write_busy(Cpu& cpu, const Descriptor& descriptor, bool busy) {
  const u8 old = static_cast<u8>(descriptor.low >> 40);
  const u8 value = busy ? old | kBusyBit : old & static_cast<u8>(~kBusyBit);
  return write_type_byte(cpu, descriptor, value);
}

}  // namespace softvt
