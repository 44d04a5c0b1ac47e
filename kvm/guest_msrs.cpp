#include "kvm/guest_msrs.h"

#include "cpu/cpuid/model.h"
#include "kvm/vcpu.h"

namespace softvt::kvm {
namespace {

// ---- the processor's own: the layer does not use it, and one vcpu has it for itself ------------
bool read_hardware(Vcpu& vcpu, u32 index, u64& value) { return vcpu.host().rdmsr(index, value); }
bool write_hardware(Vcpu& vcpu, u32 index, u64 value) { return vcpu.host().wrmsr(index, value); }
bool write_nothing(Vcpu&, u32, u64) { return true; }
bool no_write(Vcpu&, u32, u64) { return false; }
bool read_zero(Vcpu&, u32, u64& value) {
  value = 0;
  return true;
}

// ---- time --------------------------------------------------------------------------------------
bool read_tsc(Vcpu& vcpu, u32, u64& value) {
  value = vcpu.guest_tsc();
  return true;
}
bool write_tsc(Vcpu& vcpu, u32, u64 value) {
  const u64 delta = value - vcpu.guest_tsc();
  vcpu.backend().add_tsc_offset(delta);
  vcpu.msr_tsc_adjust += delta;
  if (vcpu.apic() != nullptr) vcpu.apic()->tsc_changed();
  return true;
}
bool read_tsc_adjust(Vcpu& vcpu, u32, u64& value) {
  value = vcpu.msr_tsc_adjust;
  return vcpu.host().cpu().has(Feature::TscAdjust);
}
bool write_tsc_adjust(Vcpu& vcpu, u32, u64 value) {
  if (!vcpu.host().cpu().has(Feature::TscAdjust)) return false;
  vcpu.backend().add_tsc_offset(value - vcpu.msr_tsc_adjust);
  vcpu.msr_tsc_adjust = value;
  if (vcpu.apic() != nullptr) vcpu.apic()->tsc_changed();
  return true;
}

// ---- local APIC --------------------------------------------------------------------------------
bool read_apic_base(Vcpu& vcpu, u32, u64& value) {
  if (vcpu.apic() == nullptr) return false;
  value = vcpu.apic()->apic_base();
  return true;
}
bool write_apic_base(Vcpu& vcpu, u32, u64 value) {
  return vcpu.apic() != nullptr && vcpu.apic()->set_apic_base(value);
}
bool read_x2apic(Vcpu& vcpu, u32 index, u64& value) {
  return vcpu.apic() != nullptr && vcpu.apic()->msr_read(index, value);
}
bool write_x2apic(Vcpu& vcpu, u32 index, u64 value) {
  return vcpu.apic() != nullptr && vcpu.apic()->msr_write(index, value);
}
bool has_deadline(Vcpu& vcpu) {
  return vcpu.apic() != nullptr && vcpu.host().cpu().has(Feature::TscDeadline);
}
bool read_deadline(Vcpu& vcpu, u32, u64& value) {
  if (!has_deadline(vcpu)) return false;
  value = vcpu.apic()->tsc_deadline();
  return true;
}
bool write_deadline(Vcpu& vcpu, u32, u64 value) {
  if (!has_deadline(vcpu)) return false;
  vcpu.apic()->set_tsc_deadline(value);
  return true;
}

// ---- EFER --------------------------------------------------------------------------------------
bool read_efer(Vcpu& vcpu, u32, u64& value) {
  value = vcpu.backend().get(GuestField::Efer);
  return true;
}
bool write_efer(Vcpu& vcpu, u32, u64 value) {
  const Cpu& host = vcpu.host().cpu();
  u64 allowed = 0;
  if (host.has(Feature::Syscall)) allowed |= efer::SCE;
  if (host.has(Feature::LongMode)) allowed |= efer::LME | efer::LMA;
  if (host.has(Feature::Nx)) allowed |= efer::NXE;
  if (host.has(Feature::FfxSr)) allowed |= efer::FFXSR;
  const u64 old = vcpu.backend().get(GuestField::Efer);
  const bool paging = (vcpu.backend().get(GuestField::Cr0) & cr0::PG) != 0;
  if ((value & ~allowed) != 0 || (paging && ((value ^ old) & efer::LME) != 0)) return false;
  // LMA is the processor's. SDM 4 table 2-2, C000_0080H.
  vcpu.backend().set(GuestField::Efer, (value & ~efer::LMA) | (old & efer::LMA));
  return true;
}

// ---- kept by the layer -------------------------------------------------------------------------
template <u64 Vcpu::*Field>
bool read_kept(Vcpu& vcpu, u32, u64& value) {
  value = vcpu.*Field;
  return true;
}
template <u64 Vcpu::*Field>
bool write_kept(Vcpu& vcpu, u32, u64 value) {
  vcpu.*Field = value;
  return true;
}
bool write_debugctl(Vcpu& vcpu, u32, u64 value) {
  constexpr u64 kLbr = 1, kBtf = 2;
  if ((value & ~(kLbr | kBtf)) != 0) return false;
  vcpu.msr_debugctl = value;
  return true;
}
// Locked, with VMX outside of it: there is none for the guest.
bool read_feature_control(Vcpu& vcpu, u32, u64& value) {
  value = 1;
  return vcpu.host().cpu().intel;
}
bool read_vm_cr(Vcpu& vcpu, u32, u64& value) {
  constexpr u64 kSvmDisabledAndLocked = 1 << 4 | 1 << 3;
  value = kSvmDisabledAndLocked;
  return !vcpu.host().cpu().intel;
}

constexpr bool kPass = true;
constexpr GuestMsrRow kRows[] = {
    {0x10, 0x10, "IA32_TIME_STAMP_COUNTER", read_tsc, write_tsc},
    {0x17, 0x17, "IA32_PLATFORM_ID", read_hardware, no_write},
    {0x1b, 0x1b, "IA32_APIC_BASE", read_apic_base, write_apic_base},
    {0x3a, 0x3a, "IA32_FEATURE_CONTROL", read_feature_control, no_write},
    {0x3b, 0x3b, "IA32_TSC_ADJUST", read_tsc_adjust, write_tsc_adjust},
    {0x48, 0x48, "IA32_SPEC_CTRL", read_hardware, write_hardware},
    {0x79, 0x79, "IA32_BIOS_UPDT_TRIG", read_hardware, write_nothing},
    {0x8b, 0x8b, "IA32_BIOS_SIGN_ID", read_hardware, write_hardware},
    {0xce, 0xce, "MSR_PLATFORM_INFO", read_hardware, no_write},
    {0xfe, 0xfe, "IA32_MTRRCAP", read_hardware, no_write},
    {0x10a, 0x10a, "IA32_ARCH_CAPABILITIES", read_hardware, no_write},
    {0x140, 0x140, "MISC_FEATURE_ENABLES", read_hardware, write_hardware},
    {0x174, 0x176, "IA32_SYSENTER", read_hardware, write_hardware, kPass},
    {0x179, 0x17b, "IA32_MCG", read_hardware, write_hardware},
    {0x198, 0x198, "IA32_PERF_STATUS", read_hardware, no_write},
    {0x1a0, 0x1a0, "IA32_MISC_ENABLE", read_hardware, write_hardware},
    {0x1d9, 0x1d9, "IA32_DEBUGCTL", read_kept<&Vcpu::msr_debugctl>, write_debugctl},
    {0x200, 0x26f, "MTRRs", read_hardware, write_hardware},
    {0x277, 0x277, "IA32_PAT", read_hardware, write_hardware, kPass},
    {0x2ff, 0x2ff, "IA32_MTRR_DEF_TYPE", read_hardware, write_hardware},
    {0x400, 0x47f, "IA32_MCi", read_hardware, write_hardware},
    {0x6e0, 0x6e0, "IA32_TSC_DEADLINE", read_deadline, write_deadline},
    {0x800, 0x8ff, "x2APIC", read_x2apic, write_x2apic},
    {0xda0, 0xda0, "IA32_XSS", read_hardware, write_hardware},
    {0xc0000080, 0xc0000080, "IA32_EFER", read_efer, write_efer},
    {0xc0000081, 0xc0000084, "IA32_STAR..FMASK", read_hardware, write_hardware, kPass},
    {0xc0000100, 0xc0000102, "IA32_FS_BASE..KERNEL_GS_BASE", read_hardware, write_hardware, kPass},
    {0xc0000103, 0xc0000103, "IA32_TSC_AUX", read_hardware, write_hardware, kPass},
    {0xc0010010, 0xc0010010, "SYSCFG", read_hardware, write_hardware},
    {0xc0010015, 0xc0010015, "HWCR", read_hardware, write_hardware},
    {0xc0010016, 0xc0010019, "IORR", read_hardware, write_hardware},
    {0xc001001a, 0xc001001a, "TOP_MEM", read_hardware, write_hardware},
    {0xc001001d, 0xc001001d, "TOP_MEM2", read_hardware, write_hardware},
    {0xc001001f, 0xc001001f, "NB_CFG", read_hardware, write_hardware},
    {0xc0010055, 0xc0010055, "IntPendMsg", read_zero, write_nothing},
    {0xc0010058, 0xc0010058, "MMIO_CFG_BASE", read_hardware, write_hardware},
    {0xc0010114, 0xc0010114, "VM_CR", read_vm_cr, no_write},
    {0xc0011020, 0xc0011020, "LS_CFG", read_hardware, write_hardware},
    {0xc0011029, 0xc0011029, "DE_CFG", read_hardware, write_hardware},
};

}  // namespace

std::span<const GuestMsrRow> guest_msr_rows() { return kRows; }

const GuestMsrRow* find_guest_msr(u32 index) {
  for (const GuestMsrRow& row : kRows) {
    if (index >= row.first && index <= row.last) return &row;
  }
  return nullptr;
}

}  // namespace softvt::kvm
