// What the save and the restore half of the XSAVE family have in common.
#pragma once
#include "cpu/access.h"
#include "cpu/fpu/xsave_layout.h"

namespace softvt::fpu {

// Largest component of the extended region.
constexpr unsigned kComponentMax = 256;
static_assert([] {
  for (const XsaveComponent& c : kXsaveComponents) {
    if (c.size > kComponentMax) return false;
  }
  return true;
}());

// The instruction mask EDX:EAX.
inline u64 requested(const Cpu& cpu) { return (cpu.r[RDX] << 32) | static_cast<u32>(cpu.r[RAX]); }

// #NM with CR0.TS. XGETBV and XSETBV are not concerned, so the decoder cannot check it.
inline bool device_not_available(Cpu& cpu) {
  if ((cpu.cr0 & cr0::TS) == 0) return false;
  cpu.raise(Vector::NM);
  return true;
}

// Linear address of the area; false: a fault is posted, #GP if it is not 64-byte aligned.
inline bool xsave_area(Cpu& cpu, const Insn& in, unsigned size, Access access, u64& linear) {
  constexpr u64 kAlignment = 64;
  if (!operand_address(cpu, in, size, access, linear)) return false;
  if (linear % kAlignment == 0) return true;
  cpu.raise_gp(0);
  return false;
}

}  // namespace softvt::fpu
