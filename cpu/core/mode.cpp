// Keeps everything that is derived from the processor's mode: CPL, mode word, TLB context.
#include "cpu/core/mode.h"

#include "cpu/core/tlb.h"
#include "cpu/cpu.h"

namespace softvt {
namespace {

constexpr u32 bit_if(bool on, u32 bit) { return on ? bit : 0; }

// Base 0, limit 4 GiB, present and writable, not expand-down.
bool flat_data(const Segment& s) {
  using namespace seg_rights;
  constexpr u32 kMask = Unusable | P | S | Code | ExpandDown | Writable;
  return s.base == 0 && s.limit == ~u32{0} && (s.rights & kMask) == (P | S | Writable);
}

u32 data_bits(const Cpu& cpu) {
  const bool flat = flat_data(cpu.seg[0]) && flat_data(cpu.seg[2]) && flat_data(cpu.seg[3]);
  return bit_if(flat, mode::kFlatData);
}

u32 code_bits(const Cpu& cpu) {
  if (cpu.code64()) return mode::kCode64 | mode::kFlatCode;
  const Segment& cs = cpu.seg[1];
  return bit_if((cs.rights & seg_rights::DB) != 0, mode::kCsD) |
         bit_if((cpu.seg[2].rights & seg_rights::DB) != 0, mode::kSsB) |
         bit_if(cs.base == 0 && cs.limit == ~u32{0}, mode::kFlatCode) | data_bits(cpu);
}

u32 unit_bits(const Cpu& cpu) {
  return bit_if((cpu.cr4 & cr4::OSFXSR) != 0, mode::kOsfxsr) |
         bit_if((cpu.cr0 & cr0::EM) != 0, mode::kEm) | bit_if((cpu.cr0 & cr0::TS) != 0, mode::kTs) |
         bit_if((cpu.cr0 & cr0::MP) != 0, mode::kMp) |
         bit_if((cpu.cr4 & cr4::OSXSAVE) != 0, mode::kOsxsave);
}

}  // namespace

void Cpu::update_mode() {
  cpl_ = !protected_mode() ? 0 : v86() ? 3 : static_cast<u8>(seg[2].dpl());
  const bool align = cpl_ == 3 && (cr0 & cr0::AM) != 0 && (rflags_rest & rflags::AC) != 0;
  mode = code_bits(*this) | unit_bits(*this) | bit_if(cpl_ == 3, mode::kUser) |
         bit_if(protected_mode() && !v86(), mode::kProtected) | bit_if(v86(), mode::kV86) |
         bit_if(long_mode(), mode::kLong) | bit_if(align, mode::kAlign) | (mode & mode::kOneInsn);
  const bool wide = code64();
  rip_bias = wide ? 0 : seg[1].base;
  rip_mask = wide ? ~u64{0} : 0xffffffff;
  canonical_shift = (cr4 & cr4::LA57) != 0 ? 7 : 16;
  if (tlbs != nullptr) tlbs->activate(*this);
}

void Cpu::set_segment(Seg which, const Segment& value) {
  const auto i = static_cast<unsigned>(which);
  seg[i] = value;
  if (i < 6) r[slot::kSegBase + i] = value.base;
  if (which <= Seg::DS) update_mode();
}

void Cpu::set_segment_base(Seg which, u64 base) {
  const auto i = static_cast<unsigned>(which);
  seg[i].base = base;
  if (i < 6) r[slot::kSegBase + i] = base;
}

void Cpu::set_flags(u64 f) {
  constexpr u64 kModeBits = rflags::VM | rflags::AC;
  const u64 rest = (f & rflags::All & ~rflags::Arithmetic) | rflags::Fixed1;
  const u64 changed = rest ^ rflags_rest;
  rflags_rest = rest;
  set_arithmetic_flags(f);
  if ((changed & kModeBits) != 0) update_mode();
  const bool opened = (changed & rest & rflags::IF) != 0 && (irq_hint || guest_mode);
  if (opened || (rest & rflags::TF) != 0) request_exit();
}

void Cpu::tlb_flush_all(bool keep_global) {
  tlbs->flush_space(*this, TlbPool::space_of(*this), keep_global);
}
void Cpu::tlb_flush_page(u64 linear) {
  tlbs->flush_page(*this, TlbPool::space_of(*this), linear, true);
}
void Cpu::tlb_flush_everything() { tlbs->flush_everything(*this); }

u64 get_reg_sized(const Cpu& cpu, u8 offset, unsigned size) {
  switch (size) {
    case 1:
      return get_reg<u8>(cpu, offset);
    case 2:
      return get_reg<u16>(cpu, offset);
    case 4:
      return get_reg<u32>(cpu, offset);
    default:
      return get_reg<u64>(cpu, offset);
  }
}

void put_reg_sized(Cpu& cpu, u8 offset, unsigned size, u64 v) {
  switch (size) {
    case 1:
      put_reg(cpu, offset, static_cast<u8>(v));
      break;
    case 2:
      put_reg(cpu, offset, static_cast<u16>(v));
      break;
    case 4:
      put_reg(cpu, offset, static_cast<u32>(v));
      break;
    default:
      put_reg(cpu, offset, v);
      break;
  }
}

}  // namespace softvt
