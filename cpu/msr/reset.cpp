#include "cpu/msr/reset.h"

#include "cpu/cpu.h"
#include "cpu/msr/platform.h"

namespace softvt {

void reset_msrs(Cpu& cpu) {
  cpu.msr = Cpu::Msrs{};
  if (cpu.intel) {
    using namespace misc_enable;
    cpu.msr.misc_enable = kFastStrings | kBtsUnavailable | kPebsUnavailable;
    if (cpu.has(Feature::Monitor)) cpu.msr.misc_enable |= kMonitor;
    return;
  }
  constexpr u64 kTscAtP0 = 1 << 24;  // HWCR: the TSC counts at the P0 frequency
  constexpr u64 kTscRatioOne = u64{1} << 32;
  constexpr u64 kLfenceSerialises = 1 << 1;  // DE_CFG
  cpu.msr.hwcr = kTscAtP0;
  cpu.msr.tsc_ratio = kTscRatioOne;
  cpu.msr.de_cfg = kLfenceSerialises;
}

}  // namespace softvt
