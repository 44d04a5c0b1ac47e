// XRSTOR and XRSTORS. SDM 1 13.8, 13.12.
#include <algorithm>
#include <array>
#include <cstring>

#include "cpu/access.h"
#include "cpu/fpu/legacy_image.h"
#include "cpu/fpu/operations.h"
#include "cpu/fpu/xsave_common.h"
#include "cpu/fpu/xsave_layout.h"
#include "cpu/sys/intercepted.h"

namespace softvt::fpu {
namespace {

constexpr u32 kMxcsrInit = 0x1f80;

struct Area {
  u64 xstate_bv = 0, xcomp_bv = 0;
  u8 legacy[kLegacySize];
  std::array<std::array<u8, kComponentMax>, std::size(kXsaveComponents)> extended;

  bool compacted() const { return (xcomp_bv & kCompacted) != 0; }
};

// The header's checks; false: #GP. SDM 1 13.8 and 13.12; SDM 2D "XRSTOR", "XRSTORS".
bool valid_header(const Cpu& cpu, const u64 (&header)[8], u64 enabled, bool supervisor) {
  const u64 xstate_bv = header[0], xcomp_bv = header[1];
  if ((xcomp_bv & kCompacted) == 0) {
    // Standard format: bytes 23:8 are zero.
    return !supervisor && (xstate_bv & ~enabled) == 0 && xcomp_bv == 0 && header[2] == 0;
  }
  if (!supervisor && !cpu.has(Feature::Xsavec)) return false;
  if ((xcomp_bv & ~kCompacted & ~enabled) != 0 || (xstate_bv & ~xcomp_bv) != 0) return false;
  if ((xstate_bv & kCompacted) != 0) return false;
  return std::all_of(header + 2, header + 8, [](u64 v) { return v == 0; });
}

// Reads what will be loaded; the restore cannot fault behind this.
bool read_area(Cpu& cpu, u64 linear, u64 load, Area& area) {
  if (!read_linear(cpu, linear, area.legacy, kLegacySize)) return false;
  for (std::size_t i = 0; i < std::size(kXsaveComponents); ++i) {
    const XsaveComponent& c = kXsaveComponents[i];
    if ((load >> c.bit & 1) == 0) continue;
    const u64 at = linear + component_offset(c, area.xcomp_bv);
    if (!read_linear(cpu, at, area.extended[i].data(), c.size)) return false;
  }
  return true;
}

// In the standard format MXCSR is loaded whenever SSE or AVX is asked for; in the compacted format
// it shares the fate of SSE.
bool loads_mxcsr(const Area& area, u64 rfbm) {
  if (area.compacted()) return (rfbm & area.xstate_bv & xcr0::Sse) != 0;
  return (rfbm & (xcr0::Sse | xcr0::Avx)) != 0;
}

void commit(Cpu& cpu, const Area& area, u64 rfbm, PointerFormat format) {
  const u64 load = rfbm & area.xstate_bv, clear = rfbm & ~area.xstate_bv;
  if ((load & xcr0::X87) != 0) decode_x87(cpu, format, area.legacy);
  if ((clear & xcr0::X87) != 0) initialise_component(cpu, 0);
  if ((load & xcr0::Sse) != 0) decode_xmm(cpu, area.legacy);
  if ((clear & xcr0::Sse) != 0) initialise_component(cpu, 1);
  if (loads_mxcsr(area, rfbm)) {
    cpu.mxcsr = image_mxcsr(area.legacy);
  } else if (area.compacted() && (clear & xcr0::Sse) != 0) {
    cpu.mxcsr = kMxcsrInit;
  }
  for (std::size_t i = 0; i < std::size(kXsaveComponents); ++i) {
    const XsaveComponent& c = kXsaveComponents[i];
    if ((load >> c.bit & 1) != 0) load_component(cpu, c, area.extended[i].data());
    if ((clear >> c.bit & 1) != 0) initialise_component(cpu, c.bit);
  }
}

Step restore(Cpu& cpu, const Insn& in, u64 enabled, bool supervisor, PointerFormat format) {
  u64 linear;
  if (!xsave_area(cpu, in, kExtendedOffset, Access::Read, linear)) return Step::Fault;
  u64 header[8];
  if (!read_linear(cpu, linear + kXsaveHeaderOffset, header, sizeof(header))) return Step::Fault;
  if (!valid_header(cpu, header, enabled, supervisor)) return cpu.raise_gp(0);

  Area area;
  area.xstate_bv = header[0];
  area.xcomp_bv = header[1];
  const u64 rfbm = requested(cpu) & enabled;
  const unsigned size = area.compacted() ? compacted_size(area.xcomp_bv & ~kCompacted)
                                         : standard_size(rfbm & area.xstate_bv);
  if (!operand_address(cpu, in, size, Access::Read, linear)) return Step::Fault;
  if (!read_area(cpu, linear, rfbm & area.xstate_bv, area)) return Step::Fault;
  if (loads_mxcsr(area, rfbm) && (image_mxcsr(area.legacy) & ~mxcsr_mask(cpu)) != 0) {
    return cpu.raise_gp(0);
  }
  const bool key_rights = (rfbm & xcr0::Pkru) != 0;
  commit(cpu, area, rfbm, format);
  return key_rights ? Step::EndBlock : Step::Next;  // PKRU decides what the next access may do
}

Step restore_user(Cpu& cpu, const Insn& in, PointerFormat format) {
  if (device_not_available(cpu)) return Step::Fault;
  return restore(cpu, in, cpu.xcr0, false, format);
}

Step restore_supervisor(Cpu& cpu, const Insn& in, PointerFormat format) {
  if (device_not_available(cpu)) return Step::Fault;
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::Xrstors, requested(cpu))) return intercepted_step(cpu);
  return restore(cpu, in, cpu.xcr0 | cpu.msr.xss, true, format);
}

}  // namespace

Step xrstor(Cpu& cpu, const Insn& in) {
  return restore_user(cpu, in, PointerFormat::SelectorAndOffset32);
}
Step xrstor64(Cpu& cpu, const Insn& in) { return restore_user(cpu, in, PointerFormat::Offset64); }
Step xrstors(Cpu& cpu, const Insn& in) {
  return restore_supervisor(cpu, in, PointerFormat::SelectorAndOffset32);
}
Step xrstors64(Cpu& cpu, const Insn& in) {
  return restore_supervisor(cpu, in, PointerFormat::Offset64);
}

}  // namespace softvt::fpu
