// Bits of MSRs that code outside the MSR table looks at.
#pragma once
#include "cpu/types.h"

namespace softvt {

// IA32_FEATURE_CONTROL. SDM 3C 24.7 "Enabling and Entering VMX Operation".
namespace feature_control {
constexpr u64 kLock = 1 << 0, kVmxInSmx = 1 << 1, kVmxOutsideSmx = 1 << 2;
}

// IA32_MISC_ENABLE. SDM 4 table 2-2, 1A0H.
namespace misc_enable {
constexpr u64 kFastStrings = 1 << 0, kAutoThermal = 1 << 3, kEmon = 1 << 7,
              kPrefetchDisable = 1 << 9, kBtsUnavailable = 1 << 11, kPebsUnavailable = 1 << 12,
              kEnhancedSpeedStep = 1 << 16, kMonitor = 1 << 18, kLimitLeaves = 1 << 22,
              kTprDisable = 1 << 23, kXdDisable = u64{1} << 34;
}

// VM_CR. APM 2 15.30.1.
namespace vm_cr {
constexpr u64 kDpd = 1 << 0, kRInit = 1 << 1, kDisableA20 = 1 << 2, kLock = 1 << 3,
              kSvmDisable = 1 << 4;
}

}  // namespace softvt
