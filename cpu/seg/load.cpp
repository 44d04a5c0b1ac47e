#include "cpu/seg/load.h"

#include "cpu/access.h"

namespace softvt {

namespace {

constexpr u32 kRealRights =
    seg_rights::P | seg_rights::S | seg_rights::Writable | seg_rights::Accessed;
constexpr u32 kV86Rights = kRealRights | seg_rights::DplMask;
constexpr u32 kFlatCode = seg_rights::P | seg_rights::S | seg_rights::Code | seg_rights::Readable |
                          seg_rights::Accessed | seg_rights::G;
constexpr u32 kFlatStack = kRealRights | seg_rights::DB | seg_rights::G;

bool in_long_mode_with_l_and_d(const Cpu& cpu, const Descriptor& d) {
  constexpr u32 both = seg_rights::L | seg_rights::DB;
  return cpu.long_mode() && (d.rights() & both) == both;
}

}  // namespace

Segment real_mode_segment(const Cpu& cpu, Seg which, u16 selector) {
  Segment s;
  s.selector = selector;
  s.base = u64{selector} << 4;
  if (cpu.v86()) {
    s.limit = 0xffff;
    s.rights = kV86Rights;
    return s;
  }
  const Segment& old = cpu.seg[static_cast<unsigned>(which)];
  s.limit = old.unusable() ? 0xffff : old.limit;
  s.rights = kRealRights;
  if (!old.unusable()) s.rights |= old.rights & (seg_rights::DB | seg_rights::G);
  return s;
}

Segment null_segment(const Cpu& cpu, Seg which, u16 selector) {
  Segment s;
  s.selector = selector;
  s.rights = seg_rights::Unusable;
  // Intel clears the base; AMD keeps what was there. APM 2 4.5.3 "Segment Registers in 64-Bit
  // Mode".
  if (!cpu.intel && (which == Seg::FS || which == Seg::GS)) {
    s.base = cpu.seg[static_cast<unsigned>(which)].base;
  }
  return s;
}

Segment null_stack_segment(unsigned cpl) {
  Segment s;
  s.selector = static_cast<u16>(cpl);
  s.rights = seg_rights::Unusable | (cpl << seg_rights::DplShift);
  return s;
}

Segment flat_code_segment(u16 selector, unsigned dpl, bool long_mode) {
  Segment s;
  s.selector = selector;
  s.limit = 0xffffffff;
  s.rights =
      kFlatCode | (dpl << seg_rights::DplShift) | (long_mode ? seg_rights::L : seg_rights::DB);
  return s;
}

Segment flat_stack_segment(u16 selector, unsigned dpl) {
  Segment s;
  s.selector = selector;
  s.limit = 0xffffffff;
  s.rights = kFlatStack | (dpl << seg_rights::DplShift);
  return s;
}

bool prepare_data_segment(Cpu& cpu, Seg which, u16 selector, unsigned cpl, Vector bad,
                          Segment& out) {
  if (null_selector(selector)) {
    out = null_segment(cpu, which, selector);
    return true;
  }
  Descriptor d;
  if (!fetch_descriptor_or_raise(cpu, selector, bad, d)) return false;
  if (!d.readable()) return fail_selector(cpu, bad, selector);
  if (!d.conforming() && (selector_rpl(selector) > d.dpl() || cpl > d.dpl())) {
    return fail_selector(cpu, bad, selector);
  }
  if (!d.present()) return fail_selector(cpu, Vector::NP, selector);
  if (!mark_accessed(cpu, d)) return false;
  out = segment_of(selector, d);
  return true;
}

bool prepare_stack_segment(Cpu& cpu, u16 selector, unsigned cpl, Vector bad, bool null_allowed,
                           Segment& out) {
  if (null_selector(selector)) {
    if (!null_allowed || selector_rpl(selector) != cpl) return fail_selector(cpu, bad, 0);
    out = null_stack_segment(cpl);
    return true;
  }
  Descriptor d;
  if (!fetch_descriptor_or_raise(cpu, selector, bad, d)) return false;
  if (selector_rpl(selector) != cpl || !d.writable() || d.dpl() != cpl) {
    return fail_selector(cpu, bad, selector);
  }
  if (!d.present()) return fail_selector(cpu, Vector::SS, selector);
  if (!mark_accessed(cpu, d)) return false;
  out = segment_of(selector, d);
  return true;
}

bool valid_code_segment(const Cpu& cpu, const Descriptor& d) {
  return d.code() && !in_long_mode_with_l_and_d(cpu, d);
}

bool prepare_return_code_segment(Cpu& cpu, u16 selector, Vector bad, Segment& out) {
  if (null_selector(selector)) return fail_selector(cpu, bad, 0);
  Descriptor d;
  if (!fetch_descriptor_or_raise(cpu, selector, bad, d)) return false;
  if (!valid_code_segment(cpu, d)) return fail_selector(cpu, bad, selector);
  const unsigned rpl = selector_rpl(selector);
  const bool level_ok = d.conforming() ? d.dpl() <= rpl : d.dpl() == rpl;
  if (!level_ok) return fail_selector(cpu, bad, selector);
  if (!d.present()) return fail_selector(cpu, Vector::NP, selector);
  if (!mark_accessed(cpu, d)) return false;
  out = segment_of(selector, d);
  return true;
}

bool check_ip(Cpu& cpu, const Segment& cs, u64 ip) {
  const bool wide = cpu.long_mode() && (cs.rights & seg_rights::L) != 0;
  if (wide ? canonical(cpu, ip) : ip <= cs.limit) return true;
  cpu.raise_gp(0);
  return false;
}

bool prepare_ldt(Cpu& cpu, u16 selector, Vector bad, Vector not_present, Segment& out) {
  if (null_selector(selector)) {
    out = Segment{};
    out.selector = selector;
    out.rights = seg_rights::Unusable;
    return true;
  }
  if (selector_in_ldt(selector)) return fail_selector(cpu, bad, selector);
  Descriptor d;
  if (!fetch_descriptor_or_raise(cpu, selector, bad, d)) return false;
  if (!d.system() || d.system_type() != SystemType::Ldt) return fail_selector(cpu, bad, selector);
  if (!d.present()) return fail_selector(cpu, not_present, selector);
  if (cpu.long_mode()) {
    if (!fetch_second_half_or_raise(cpu, selector, bad, d)) return false;
    if (!canonical_for_register(cpu, segment_of(selector, d).base))
      return fail_selector(cpu, bad, selector);
  }
  out = segment_of(selector, d);
  return true;
}

bool load_segment(Cpu& cpu, Seg which, u16 selector) {
  Segment s;
  if (cpu.real_or_v86()) {
    s = real_mode_segment(cpu, which, selector);
  } else if (which == Seg::SS) {
    const bool null_allowed = cpu.code64() && cpu.cpl() != 3;
    if (!prepare_stack_segment(cpu, selector, cpu.cpl(), Vector::GP, null_allowed, s)) return false;
  } else {
    if (!prepare_data_segment(cpu, which, selector, cpu.cpl(), Vector::GP, s)) return false;
  }
  cpu.set_segment(which, s);
  return true;
}

void drop_inner_segments(Cpu& cpu) {
  for (const Seg which : {Seg::ES, Seg::DS, Seg::FS, Seg::GS}) {
    const Segment& s = cpu.seg[static_cast<unsigned>(which)];
    constexpr u32 conforming_code = seg_rights::Code | seg_rights::Conforming;
    const bool conforming = (s.rights & conforming_code) == conforming_code;
    if (s.unusable() || conforming || s.dpl() >= cpu.cpl()) continue;
    // Only the selector is made null: the base stays, as 64-bit mode shows for FS and GS.
    // SDM 2A "IRET/IRETD/IRETQ", "Operation".
    Segment dropped = null_segment(cpu, which, 0);
    dropped.base = s.base;
    cpu.set_segment(which, dropped);
  }
}

}  // namespace softvt
