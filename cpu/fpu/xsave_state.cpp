#include <algorithm>
#include <cstring>

#include "cpu/fpu/legacy_image.h"
#include "cpu/fpu/state.h"
#include "cpu/fpu/xsave_layout.h"
#include "cpu/sys/control_regs.h"

namespace softvt::fpu {
namespace {

constexpr u32 kMxcsrInit = 0x1f80;
constexpr unsigned kPkruBit = 9;

bool x87_in_use(const X87State& s) {
  const bool registers = std::any_of(s.st.begin(), s.st.end(), [](const X87Reg& v) {
    return v.significand != 0 || v.sign_exponent != 0;
  });
  return registers || s.fcw != kControlInit || s.fsw != 0 || s.tag_valid != 0 || s.fop != 0 ||
         s.fip != 0 || s.fdp != 0 || s.fcs != 0 || s.fds != 0;
}

bool sse_in_use(const Cpu& cpu) {
  return std::any_of(std::begin(cpu.xmm), std::end(cpu.xmm),
                     [](const Xmm& v) { return (v.q[0] | v.q[1]) != 0; });
}

unsigned align64(unsigned offset) { return (offset + 63) & ~63u; }

}  // namespace

u64 supported_xcr0(const Cpu& cpu) {
  u64 bits = xcr0::X87 | xcr0::Sse;
  for (const XsaveComponent& c : kXsaveComponents) {
    if (cpu.has(c.feature)) bits |= u64{1} << c.bit;
  }
  return bits;
}

bool valid_xcr0(const Cpu& cpu, u64 value) {
  if ((value & ~supported_xcr0(cpu)) != 0 || (value & xcr0::X87) == 0) return false;
  return (value & xcr0::Avx) == 0 || (value & xcr0::Sse) != 0;
}

unsigned standard_size(u64 components) {
  unsigned size = kExtendedOffset;
  for (const XsaveComponent& c : kXsaveComponents) {
    if ((components >> c.bit & 1) != 0) size = std::max<unsigned>(size, c.standard_offset + c.size);
  }
  return size;
}

unsigned compacted_size(u64 components) {
  unsigned size = kExtendedOffset;
  for (const XsaveComponent& c : kXsaveComponents) {
    if ((components >> c.bit & 1) == 0) continue;
    size = (c.align64 ? align64(size) : size) + c.size;
  }
  return size;
}

unsigned component_offset(const XsaveComponent& component, u64 xcomp_bv) {
  if ((xcomp_bv & kCompacted) == 0) return component.standard_offset;
  const unsigned before = compacted_size(xcomp_bv & ((u64{1} << component.bit) - 1));
  return component.align64 ? align64(before) : before;
}

u64 in_use(const Cpu& cpu) {
  u64 bits = 0;
  if (x87_in_use(cpu.fpu)) bits |= xcr0::X87;
  if (sse_in_use(cpu)) bits |= xcr0::Sse;
  if (cpu.pkru != 0) bits |= xcr0::Pkru;
  return bits;
}

u64 in_use_with_mxcsr(const Cpu& cpu) {
  return in_use(cpu) | (cpu.mxcsr != kMxcsrInit ? xcr0::Sse : u64{0});
}

void save_component(const Cpu& cpu, const XsaveComponent& component, u8* out) {
  std::memset(out, 0, component.size);
  if (component.bit == kPkruBit) std::memcpy(out, &cpu.pkru, sizeof(cpu.pkru));
}

void load_component(Cpu& cpu, const XsaveComponent& component, const u8* in) {
  if (component.bit != kPkruBit) return;
  u32 pkru;
  std::memcpy(&pkru, in, sizeof(pkru));
  set_pkru(cpu, pkru);
}

void initialise_component(Cpu& cpu, unsigned bit) {
  switch (bit) {
    case 0:
      initialise(cpu.fpu);
      cpu.fpu.st.fill(X87Reg{});
      break;
    case 1:
      std::fill_n(cpu.xmm, xmm_count(cpu), Xmm{});
      break;
    case kPkruBit:
      set_pkru(cpu, 0);
      break;
    default:
      break;
  }
}

}  // namespace softvt::fpu
