// XSAVE, XSAVEOPT, XSAVEC, XSAVES. SDM 1 13.7, 13.9 to 13.11.
#include <array>
#include <cstring>

#include "cpu/access.h"
#include "cpu/fpu/area_writer.h"
#include "cpu/fpu/legacy_image.h"
#include "cpu/fpu/operations.h"
#include "cpu/fpu/xsave_common.h"
#include "cpu/fpu/xsave_layout.h"
#include "cpu/sys/intercepted.h"

namespace softvt::fpu {
namespace {

struct Variant {
  bool compacted;       // XSAVEC, XSAVES
  bool init_optimised;  // leaves out components in their initial configuration
  PointerFormat format;
};

// The parts of the legacy region. MXCSR goes with SSE, in the standard format also with AVX.
void add_legacy(AreaWriter& area, const Cpu& cpu, const Variant& variant, u64 saved, u64 rfbm,
                u8* image) {
  if ((saved & xcr0::X87) != 0) {
    encode_x87(cpu, variant.format, image);
    if (keeps_pointers(cpu, cpu.fpu.fsw)) {
      area.add(0, image, kMxcsrOffset);
    } else {
      area.add(0, image, 6);
    }
    area.add(kStOffset, image + kStOffset, kStBytes);
  }
  const u64 mxcsr_with = variant.compacted ? saved & xcr0::Sse : rfbm & (xcr0::Sse | xcr0::Avx);
  if (mxcsr_with != 0) {
    encode_mxcsr(cpu, image);
    area.add(kMxcsrOffset, image + kMxcsrOffset, kStOffset - kMxcsrOffset);
  }
  if ((saved & xcr0::Sse) != 0) {
    encode_xmm(cpu, image);
    area.add(kXmmOffset, image + kXmmOffset, xmm_count(cpu) * unsigned{sizeof(Xmm)});
  }
}

Step save(Cpu& cpu, const Insn& in, u64 rfbm, const Variant& variant) {
  const u64 xcomp_bv = variant.compacted ? rfbm | kCompacted : 0;
  const unsigned size = variant.compacted ? compacted_size(rfbm) : standard_size(rfbm);
  u64 linear;
  if (!xsave_area(cpu, in, size, Access::Write, linear)) return Step::Fault;

  const u64 used = rfbm & (variant.compacted ? in_use_with_mxcsr(cpu) : in_use(cpu));
  const u64 saved = variant.init_optimised ? used : rfbm;
  // XSAVE and XSAVEOPT keep the bits of components they were not asked for.
  u64 header[2] = {used, xcomp_bv};
  if (!variant.compacted) {
    u64 old;
    if (!read_linear(cpu, linear + kXsaveHeaderOffset, &old, sizeof(old))) return Step::Fault;
    header[0] |= old & ~rfbm;
  }

  AreaWriter area;
  u8 image[kLegacySize];
  add_legacy(area, cpu, variant, saved, rfbm, image);
  u8 header_image[sizeof(header)];
  std::memcpy(header_image, header, sizeof(header));
  area.add(kXsaveHeaderOffset, header_image, variant.compacted ? 16 : 8);
  std::array<std::array<u8, kComponentMax>, std::size(kXsaveComponents)> extended;
  for (std::size_t i = 0; i < std::size(kXsaveComponents); ++i) {
    const XsaveComponent& c = kXsaveComponents[i];
    if ((saved >> c.bit & 1) == 0) continue;
    save_component(cpu, c, extended[i].data());
    area.add(component_offset(c, xcomp_bv), extended[i].data(), c.size);
  }
  return area.write(cpu, linear) ? Step::Next : Step::Fault;
}

Step save_user(Cpu& cpu, const Insn& in, const Variant& variant) {
  if (device_not_available(cpu)) return Step::Fault;
  return save(cpu, in, requested(cpu) & cpu.xcr0, variant);
}

// SDM 2D "XSAVES": CPL 0 only; exits by the XSS-exiting bitmap come before the memory operand.
Step save_supervisor(Cpu& cpu, const Insn& in, const Variant& variant) {
  if (device_not_available(cpu)) return Step::Fault;
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::Xsaves, requested(cpu))) return intercepted_step(cpu);
  return save(cpu, in, requested(cpu) & (cpu.xcr0 | cpu.msr.xss), variant);
}

constexpr auto k32 = PointerFormat::SelectorAndOffset32;
constexpr auto k64 = PointerFormat::Offset64;

}  // namespace

Step xsave(Cpu& cpu, const Insn& in) { return save_user(cpu, in, {false, false, k32}); }
Step xsave64(Cpu& cpu, const Insn& in) { return save_user(cpu, in, {false, false, k64}); }
Step xsaveopt(Cpu& cpu, const Insn& in) { return save_user(cpu, in, {false, true, k32}); }
Step xsaveopt64(Cpu& cpu, const Insn& in) { return save_user(cpu, in, {false, true, k64}); }
Step xsavec(Cpu& cpu, const Insn& in) { return save_user(cpu, in, {true, true, k32}); }
Step xsavec64(Cpu& cpu, const Insn& in) { return save_user(cpu, in, {true, true, k64}); }
Step xsaves(Cpu& cpu, const Insn& in) { return save_supervisor(cpu, in, {true, true, k32}); }
Step xsaves64(Cpu& cpu, const Insn& in) { return save_supervisor(cpu, in, {true, true, k64}); }

}  // namespace softvt::fpu
