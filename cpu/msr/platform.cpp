// Identification, microcode, power and debugging control, mostly Intel's.
#include "cpu/msr/platform.h"
#include "cpu/apic/apic_timer.h"
#include "cpu/cpuid/model.h"
#include "cpu/msr/access.h"
#include "cpu/msr/rows.h"

namespace softvt {
namespace {

using namespace msr_access;
using Vendor = MsrRow::Vendor;

// Intel has the revision in the upper half, AMD in the lower. SDM 3A 10.11.7, APM 2 A.1.
bool read_microcode(Cpu& cpu, u32, u64& value) {
  const u64 revision = cpu.model ? cpu.model->microcode : 0;
  value = cpu.intel ? revision << 32 : revision;
  return true;
}

// SDM 4 table 2-2, 3AH. Bit 2 is VMXON outside SMX; SMX and SGX are absent.
bool write_feature_control(Cpu& cpu, u32, u64 value) {
  using namespace feature_control;
  if (cpu.msr.feature_control & kLock) return false;
  const u64 allowed = kLock | (cpu.has(Feature::Vmx) ? kVmxOutsideSmx : 0);
  if (value & ~allowed) return false;
  cpu.msr.feature_control = value;
  return true;
}

bool write_misc_enable(Cpu& cpu, u32, u64 value) {
  using namespace misc_enable;
  constexpr u64 kWritable = kFastStrings | kMonitor | kLimitLeaves | kEnhancedSpeedStep |
                            kAutoThermal | kTprDisable | kXdDisable;
  constexpr u64 kIgnored = kEmon | kPrefetchDisable;
  constexpr u64 kReadOnly = kBtsUnavailable | kPebsUnavailable;
  if (value & ~(kWritable | kReadOnly | kIgnored)) return false;
  cpu.msr.misc_enable = (value & kWritable) | (cpu.msr.misc_enable & kReadOnly);
  // "XD Bit Disable" takes the bit from CPUID, and EFER.NXE with it.
  if (cpu.model != nullptr && cpu.model->features.has(Feature::Nx)) {
    const bool off = (value & kXdDisable) != 0;
    cpu.features.set(Feature::Nx, !off);
    if (off && (cpu.efer & efer::NXE) != 0) {
      cpu.efer &= ~efer::NXE;
      cpu.tlb_flush_everything();
      cpu.update_mode();
    }
  }
  return true;
}

// SDM 3B 18.4.1 "IA32_DEBUGCTL MSR"; APM 2 13.1.1.6 "Debug-Control Register". There are no
// last-branch records: the bits are kept and have no effect, but BTF.
bool write_debugctl(Cpu& cpu, u32, u64 value) {
  constexpr u64 kIntel = 0x3 | 0x1fc0 /* TR, BTS, freezing */ | 1 << 14 /* freeze in SMM */;
  constexpr u64 kAmd = 0x3f;
  if (value & ~(cpu.intel ? kIntel : kAmd)) return false;
  cpu.msr.debugctl = value;
  return true;
}

constexpr u64 kRatio = kTscKhz / 100'000;  // of the 100 MHz bus clock
constexpr u64 kPlatformInfo = kRatio << 8 | kRatio << 40;
constexpr u64 kPerfStatus = kRatio << 8;

// Nothing here is speculative. SDM 4 table 2-2, 10AH: RDCL_NO, SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO,
// IF_PSCHANGE_MC_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, BHI_NO, PBRSB_NO, GDS_NO, RFDS_NO.
constexpr u64 kArchCapabilities = 1 << 0 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 13 |
                                  1 << 14 | 1 << 15 | 1 << 20 | 1 << 24 | 1 << 26 | 1 << 27;

constexpr MsrRow kRows[] = {
    {0x0, 0x1, "IA32_P5_MC", Feature::Mce, read_constant<0>, write_ignored, Vendor::Intel},
    {0x6, 0x6, "IA32_MONITOR_FILTER_SIZE", Feature::Monitor, read_field<&Msrs::monitor_filter>,
     write_field<&Msrs::monitor_filter>, Vendor::Intel},
    {0x17, 0x17, "IA32_PLATFORM_ID", Feature::Msr, read_constant<0>, nullptr, Vendor::Intel},
    {0x34, 0x34, "MSR_SMI_COUNT", Feature::Msr, read_field<&Msrs::smi_count>, nullptr,
     Vendor::Intel},
    {0x3a, 0x3a, "IA32_FEATURE_CONTROL", Feature::Vmx, read_field<&Msrs::feature_control>,
     write_feature_control, Vendor::Intel},
    {0x79, 0x79, "IA32_BIOS_UPDT_TRIG", Feature::Msr, nullptr, write_ignored, Vendor::Intel},
    {0x8b, 0x8b, "IA32_BIOS_SIGN_ID", Feature::Msr, read_microcode, write_ignored},
    {0x9b, 0x9b, "IA32_SMM_MONITOR_CTL", Feature::Vmx, read_field<&Msrs::smm_monitor_ctl>, nullptr,
     Vendor::Intel},
    {0xce, 0xce, "MSR_PLATFORM_INFO", Feature::Msr, read_constant<kPlatformInfo>, nullptr,
     Vendor::Intel},
    {0x10a, 0x10a, "IA32_ARCH_CAPABILITIES", Feature::ArchCapabilities,
     read_constant<kArchCapabilities>, nullptr, Vendor::Intel},
    {0x198, 0x198, "IA32_PERF_STATUS", Feature::Msr, read_constant<kPerfStatus>, nullptr,
     Vendor::Intel},
    {0x199, 0x199, "IA32_PERF_CTL", Feature::Msr, read_constant<kPerfStatus>, write_ignored,
     Vendor::Intel},
    {0x1a0, 0x1a0, "IA32_MISC_ENABLE", Feature::Msr, read_field<&Msrs::misc_enable>,
     write_misc_enable, Vendor::Intel},
    {0x1d9, 0x1d9, "IA32_DEBUGCTL", Feature::Msr, read_field<&Msrs::debugctl>, write_debugctl},
};

}  // namespace

std::span<const MsrRow> msr_rows::platform() { return kRows; }

}  // namespace softvt
