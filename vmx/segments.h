// Which fields belong to which segment register. SDM 3C 25.4.1, 25.5.
#pragma once
#include "cpu/cpu.h"
#include "vmx/vmcs.h"

namespace softvt::vmx {

// The fields of the eight registers follow each other in the order of softvt::Seg.
constexpr Field shifted(Field es, unsigned seg) {
  return static_cast<Field>(static_cast<u32>(es) + 2 * seg);
}
static_assert(shifted(Field::GUEST_ES_BASE, 7) == Field::GUEST_TR_BASE);
static_assert(shifted(Field::GUEST_ES_AR_BYTES, 7) == Field::GUEST_TR_AR_BYTES);
static_assert(shifted(Field::GUEST_ES_LIMIT, 6) == Field::GUEST_LDTR_LIMIT);
static_assert(shifted(Field::GUEST_ES_SELECTOR, 1) == Field::GUEST_CS_SELECTOR);

constexpr u32 kRightsDefined = 0x1f0ff;

template <unsigned S>
[[gnu::always_inline]] inline Segment load_segment_fields(const Vmcs& v) {
  Segment s;
  s.selector = static_cast<u16>(v.get(shifted(Field::GUEST_ES_SELECTOR, S)));
  s.limit = v.get32(shifted(Field::GUEST_ES_LIMIT, S));
  s.base = v.get(shifted(Field::GUEST_ES_BASE, S));
  s.rights = v.get32(shifted(Field::GUEST_ES_AR_BYTES, S)) & kRightsDefined;
  return s;
}
template <unsigned S>
[[gnu::always_inline]] inline void store_segment_fields(const Vmcs& v, const Segment& s) {
  v.set(shifted(Field::GUEST_ES_SELECTOR, S), s.selector);
  v.set(shifted(Field::GUEST_ES_LIMIT, S), s.limit);
  v.set(shifted(Field::GUEST_ES_BASE, S), s.base);
  v.set(shifted(Field::GUEST_ES_AR_BYTES, S), s.rights & kRightsDefined);
}

// Puts a segment in place without Cpu::update_mode(), which entries and exits call once at the end.
inline void put_segment(Cpu& cpu, unsigned seg, const Segment& value) {
  cpu.seg[seg] = value;
  if (seg < 6) cpu.r[slot::kSegBase + seg] = value.base;
}
inline void put_flags(Cpu& cpu, u64 flags) {
  cpu.rflags_rest = (flags & rflags::All & ~rflags::Arithmetic) | rflags::Fixed1;
  cpu.set_arithmetic_flags(flags);
}

}  // namespace softvt::vmx
