// MSRs of AMD processors. APM 2 appendix A "MSR Cross-Reference"; the processor programming
// references of families 17H and 19H.
#include "cpu/msr/access.h"
#include "cpu/msr/platform.h"
#include "cpu/msr/rows.h"

namespace softvt {
namespace {

using namespace msr_access;

bool address_fits(const Cpu& cpu, u64 value) { return (value >> cpu.phys_bits) == 0; }

template <u64 Msrs::*Field, u64 Low>
bool write_physical(Cpu& cpu, u32, u64 value) {
  if (!address_fits(cpu, value) || (value & Low)) return false;
  cpu.msr.*Field = value;
  return true;
}

// APM 2 15.30.1 "VM_CR MSR": LOCK protects itself and SVMDIS until reset.
bool write_vm_cr(Cpu& cpu, u32, u64 value) {
  using namespace vm_cr;
  constexpr u64 kDefined = kDpd | kRInit | kDisableA20 | kLock | kSvmDisable;
  if (value & ~kDefined) return false;
  const u64 old = cpu.msr.vm_cr;
  const u64 frozen = (old & kLock) ? kLock | kSvmDisable : 0;
  const u64 next = (value & ~frozen) | (old & frozen);
  if ((next & kSvmDisable) && (cpu.efer & efer::SVME)) return false;
  cpu.msr.vm_cr = next;
  return true;
}

bool read_iorr(Cpu& cpu, u32 index, u64& value) {
  value = cpu.msr.iorr[index - 0xc0010016];
  return true;
}
bool write_iorr(Cpu& cpu, u32 index, u64 value) {
  if (!address_fits(cpu, value)) return false;
  cpu.msr.iorr[index - 0xc0010016] = value;
  return true;
}

constexpr u64 kSyscfg = 0x1f << 18;
constexpr u64 kTscRatio = 0xff'ffff'ffff;  // 8.32 fixed point, APM 2 15.30.5

constexpr auto kAmd = MsrRow::Vendor::Amd;
constexpr Feature kAlways = Feature::Msr;

constexpr MsrRow kRows[] = {
    {0x1db, 0x1de, "LastBranch", kAlways, read_constant<0>, write_ignored, kAmd},
    {0xc0000104, 0xc0000104, "TSC_RATIO", Feature::TscRateMsr, read_field<&Msrs::tsc_ratio>,
     write_field<&Msrs::tsc_ratio, kTscRatio>, kAmd},
    {0xc0010000, 0xc0010007, "PERF_LEGACY", kAlways, read_constant<0>, write_ignored, kAmd},
    {0xc0010010, 0xc0010010, "SYSCFG", kAlways, read_field<&Msrs::syscfg>,
     write_kept<&Msrs::syscfg, kSyscfg>, kAmd},
    {0xc0010015, 0xc0010015, "HWCR", kAlways, read_field<&Msrs::hwcr>,
     write_kept<&Msrs::hwcr, 0xffffffff>, kAmd},
    {0xc0010016, 0xc0010019, "IORR", kAlways, read_iorr, write_iorr, kAmd},
    {0xc001001a, 0xc001001a, "TOP_MEM", kAlways, read_field<&Msrs::top_mem>,
     write_physical<&Msrs::top_mem, 0>, kAmd},
    {0xc001001d, 0xc001001d, "TOP_MEM2", kAlways, read_field<&Msrs::top_mem2>,
     write_physical<&Msrs::top_mem2, 0>, kAmd},
    {0xc001001f, 0xc001001f, "NB_CFG", kAlways, read_field<&Msrs::nb_cfg>,
     write_field<&Msrs::nb_cfg>, kAmd},
    {0xc0010020, 0xc0010020, "PATCH_LOADER", kAlways, nullptr, write_ignored, kAmd},
    {0xc0010055, 0xc0010055, "INT_PENDING", kAlways, read_constant<0>, write_ignored, kAmd},
    {0xc0010058, 0xc0010058, "MMIO_CONFIG_BASE", kAlways, read_field<&Msrs::mmio_config_base>,
     write_physical<&Msrs::mmio_config_base, 0>, kAmd},
    {0xc0010114, 0xc0010114, "VM_CR", Feature::Svm, read_field<&Msrs::vm_cr>, write_vm_cr, kAmd},
    {0xc0010117, 0xc0010117, "VM_HSAVE_PA", Feature::Svm, read_field<&Msrs::vm_hsave_pa>,
     write_physical<&Msrs::vm_hsave_pa, kPageMask>, kAmd},
    {0xc0011020, 0xc0011020, "LS_CFG", kAlways, read_field<&Msrs::ls_cfg>,
     write_field<&Msrs::ls_cfg>, kAmd},
    {0xc0011029, 0xc0011029, "DE_CFG", kAlways, read_field<&Msrs::de_cfg>,
     write_field<&Msrs::de_cfg>, kAmd},
};

}  // namespace

std::span<const MsrRow> msr_rows::amd() { return kRows; }

}  // namespace softvt
