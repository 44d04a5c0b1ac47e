// XGETBV and XSETBV. SDM 2D "XGETBV", "XSETBV".
#include "cpu/fpu/operations.h"
#include "cpu/fpu/xsave_layout.h"
#include "cpu/sys/intercepted.h"

namespace softvt::fpu {

Step xgetbv(Cpu& cpu, const Insn&) {
  const u32 index = static_cast<u32>(cpu.r[RCX]);
  u64 value = cpu.xcr0;
  if (index == 1 && cpu.has(Feature::Xgetbv1)) {
    value &= in_use_with_mxcsr(cpu);
  } else if (index != 0) {
    return cpu.raise_gp(0);
  }
  cpu.r[RAX] = static_cast<u32>(value);
  cpu.r[RDX] = value >> 32;
  return Step::Next;
}

Step xsetbv(Cpu& cpu, const Insn& in) {
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  // The exit has priority over faults that the operands cause. SDM 3C 26.1.1.
  const u64 value = (cpu.r[RDX] << 32) | static_cast<u32>(cpu.r[RAX]);
  const u32 index = static_cast<u32>(cpu.r[RCX]);
  if (cpu.intercepted(in, Intercept::Xsetbv, index, value)) return intercepted_step(cpu);
  if (index != 0 || !valid_xcr0(cpu, value)) return cpu.raise_gp(0);
  cpu.xcr0 = value;
  cpu.update_mode();
  return Step::EndBlock;
}

}  // namespace softvt::fpu
