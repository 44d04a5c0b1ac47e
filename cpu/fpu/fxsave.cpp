// FXSAVE and FXRSTOR. SDM 1 10.5, SDM 2A "FXSAVE", "FXRSTOR".
#include "cpu/access.h"
#include "cpu/fpu/area_writer.h"
#include "cpu/fpu/legacy_image.h"
#include "cpu/fpu/operations.h"

namespace softvt::fpu {
namespace {

constexpr u64 kAlignment = 16;

// Fast FXSAVE/FXRSTOR leaves the XMM registers alone in 64-bit mode at CPL 0.
// APM 2 3.1.7 "Extended Feature Enable Register (EFER)", bit FFXSR.
bool skips_xmm(const Cpu& cpu) {
  return (cpu.efer & efer::FFXSR) != 0 && cpu.code64() && cpu.cpl() == 0;
}

// False: a fault is posted.
bool area_address(Cpu& cpu, const Insn& in, Access access, u64& linear) {
  linear = 0;
  if (!operand_address(cpu, in, kLegacySize, access, linear)) {
    // Misaligned and not canonical: #GP even through SS.
    if (cpu.code64() && linear % kAlignment != 0) cpu.raise_gp(0);
    return false;
  }
  if (linear % kAlignment == 0) return true;
  cpu.raise_gp(0);
  return false;
}

Step save(Cpu& cpu, const Insn& in, PointerFormat format) {
  u64 linear;
  if (!area_address(cpu, in, Access::Write, linear)) return Step::Fault;
  if (!probe_write(cpu, linear, kLegacySize)) return Step::Fault;
  u8 image[kLegacySize];
  encode_x87(cpu, format, image);
  encode_mxcsr(cpu, image);
  encode_xmm(cpu, image);
  const unsigned end =
      skips_xmm(cpu) ? kXmmOffset : kXmmOffset + xmm_count(cpu) * unsigned{sizeof(Xmm)};
  AreaWriter area;
  if (keeps_pointers(cpu, cpu.fpu.fsw)) {
    area.add(0, image, end);
  } else {
    constexpr unsigned kPointers = 6;  // FOP to FDS
    area.add(0, image, kPointers);
    area.add(kMxcsrOffset, image + kMxcsrOffset, end - kMxcsrOffset);
  }
  return area.write(cpu, linear) ? Step::Next : Step::Fault;
}

Step restore(Cpu& cpu, const Insn& in, PointerFormat format) {
  u64 linear;
  if (!area_address(cpu, in, Access::Read, linear)) return Step::Fault;
  u8 image[kLegacySize];
  if (!read_linear(cpu, linear, image, kLegacySize)) return Step::Fault;
  const u32 mxcsr = image_mxcsr(image);
  if ((mxcsr & ~mxcsr_mask(cpu)) != 0) return cpu.raise_gp(0);
  decode_x87(cpu, format, image);
  cpu.mxcsr = mxcsr;
  if (!skips_xmm(cpu)) decode_xmm(cpu, image);
  return Step::Next;
}

}  // namespace

Step fxsave(Cpu& cpu, const Insn& in) { return save(cpu, in, PointerFormat::SelectorAndOffset32); }
Step fxsave64(Cpu& cpu, const Insn& in) { return save(cpu, in, PointerFormat::Offset64); }
Step fxrstor(Cpu& cpu, const Insn& in) {
  return restore(cpu, in, PointerFormat::SelectorAndOffset32);
}
Step fxrstor64(Cpu& cpu, const Insn& in) { return restore(cpu, in, PointerFormat::Offset64); }

}  // namespace softvt::fpu
