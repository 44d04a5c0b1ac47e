#include "cpu/sys/control_regs.h"

#include "cpu/paging/walk.h"

namespace softvt {
namespace {

constexpr u64 kNoFlush = u64{1} << 63;
constexpr u64 kPcidMask = 0xfff;

bool pae_paging(u64 cr0, u64 cr4, u64 efer) {
  return (cr0 & cr0::PG) && (cr4 & cr4::PAE) && (efer & efer::LMA) == 0;
}

u64 above(unsigned bits) { return bits >= 64 ? 0 : ~u64{0} << bits; }

// Bits that VMX operation wants set. The guest's CR0.PE and CR0.PG may be 0 under "unrestricted
// guest", which the VMX side knows. SDM 3C 24.8 "Restrictions on VMX Operation", A.7, A.8.
u64 cr0_fixed(const Cpu& cpu) {
  if (!cpu.vmx_root) return 0;
  return cpu.guest_mode ? cr0::NE : cr0::PE | cr0::NE | cr0::PG;
}

bool gp(Cpu& cpu) {
  cpu.raise_gp(0);
  return false;
}

// A failed PDPTE load is #GP unless the second stage has an exit to take.
bool reload_pdptes(Cpu& cpu, u64 cr3) {
  if (load_pdptes(cpu, cr3)) return true;
  return cpu.faulted() ? false : gp(cpu);
}

struct Cr4Row {
  u64 bit;
  Feature feature;
};
// SDM 3A 2.5, CR4: a bit is reserved where CPUID lacks its feature.
constexpr Cr4Row kCr4Rows[] = {
    {cr4::VME, Feature::Vme},           {cr4::PVI, Feature::Vme},
    {cr4::TSD, Feature::Tsc},           {cr4::DE, Feature::De},
    {cr4::PSE, Feature::Pse},           {cr4::PAE, Feature::Pae},
    {cr4::MCE, Feature::Mce},           {cr4::PGE, Feature::Pge},
    {cr4::PCE, Feature::None},          {cr4::OSFXSR, Feature::Fxsr},
    {cr4::OSXMMEXCPT, Feature::Sse},    {cr4::UMIP, Feature::Umip},
    {cr4::LA57, Feature::La57},         {cr4::VMXE, Feature::Vmx},
    {cr4::FSGSBASE, Feature::FsGsBase}, {cr4::PCIDE, Feature::Pcid},
    {cr4::OSXSAVE, Feature::Xsave},     {cr4::SMEP, Feature::Smep},
    {cr4::SMAP, Feature::Smap},         {cr4::PKE, Feature::Pku},
    {cr4::PKS, Feature::Pks},
};

struct EferRow {
  u64 bit;
  Feature feature;
};
// SDM 3A 2.2.1, APM 2 3.1.7 "Extended Feature Enable Register (EFER)".
constexpr EferRow kEferRows[] = {
    {efer::SCE, Feature::Syscall}, {efer::LME, Feature::LongMode}, {efer::NXE, Feature::Nx},
    {efer::SVME, Feature::Svm},    {efer::FFXSR, Feature::FfxSr},
};

}  // namespace

u64 cr4_supported(const Cpu& cpu) {
  u64 bits = 0;
  for (const Cr4Row& row : kCr4Rows)
    if (cpu.has(row.feature)) bits |= row.bit;
  return bits;
}

u64 efer_supported(const Cpu& cpu) {
  u64 bits = 0;
  for (const EferRow& row : kEferRows)
    if (cpu.has(row.feature)) bits |= row.bit;
  return bits;
}

// SDM 2B "MOV-Move to/from Control Registers", Protected Mode and 64-Bit Mode Exceptions.
bool cr0_acceptable(const Cpu& cpu, u64 value) {
  if (value >> 32) return false;
  const bool paging = value & cr0::PG, was_paging = cpu.cr0 & cr0::PG;
  if (paging && (value & cr0::PE) == 0) return false;
  if ((value & cr0::NW) && (value & cr0::CD) == 0) return false;
  if (~value & cr0_fixed(cpu)) return false;
  // SDM 3A 10.8.5 "Initializing IA-32e Mode".
  if (paging && !was_paging && (cpu.efer & efer::LME)) {
    if ((cpu.cr4 & cr4::PAE) == 0) return false;
    if (cpu.seg[1].rights & seg_rights::L) return false;
  }
  if (!paging && was_paging) {
    if (cpu.code64()) return false;
    if (cpu.cr4 & cr4::PCIDE) return false;
  }
  return true;
}

bool set_cr0(Cpu& cpu, u64 value) {
  if (!cr0_acceptable(cpu, value)) return gp(cpu);
  value = (value & kCr0Defined) | cr0::ET;
  const u64 changed = cpu.cr0 ^ value;
  u64 efer = cpu.efer & ~efer::LMA;
  if ((value & cr0::PG) && (efer & efer::LME)) efer |= efer::LMA;
  // SDM 3A 4.4.1: a change of CD, NW or PG loads the PDPTE registers.
  if (pae_paging(value, cpu.cr4, efer) && (changed & (cr0::CD | cr0::NW | cr0::PG)))
    if (!reload_pdptes(cpu, cpu.cr3)) return false;
  cpu.cr0 = value;
  cpu.efer = efer;
  cpu.update_mode();
  if (changed & (cr0::PG | cr0::PE)) cpu.tlb_flush_everything();  // SDM 3A 4.10.4.1
  return true;
}

bool cr3_acceptable(const Cpu& cpu, u64 value) {
  if (!cpu.long_mode()) return true;
  if (cpu.cr4 & cr4::PCIDE) value &= ~kNoFlush;
  return (value & above(cpu.phys_bits)) == 0;
}

bool load_cr3(Cpu& cpu, u64 value) {
  if (!cr3_acceptable(cpu, value)) return gp(cpu);
  if (pae_paging(cpu.cr0, cpu.cr4, cpu.efer) && !reload_pdptes(cpu, value)) return false;
  const bool no_flush = (cpu.cr4 & cr4::PCIDE) && (value & kNoFlush);
  cpu.cr3 = (cpu.cr4 & cr4::PCIDE) ? value & ~kNoFlush : value;
  // The flush is for the PCID that becomes current. SDM 3A 4.10.4.1.
  cpu.update_mode();
  if (!no_flush) cpu.tlb_flush_all(true);
  return true;
}

bool cr4_acceptable(const Cpu& cpu, u64 value) {
  if (value & ~cr4_supported(cpu)) return false;
  const u64 changed = cpu.cr4 ^ value;
  if (cpu.vmx_root && (value & cr4::VMXE) == 0) return false;
  if (cpu.long_mode()) {
    if ((value & cr4::PAE) == 0) return false;
    if (changed & cr4::LA57) return false;
  }
  // SDM 3A 4.10.1 "Process-Context Identifiers (PCIDs)".
  if (value & changed & cr4::PCIDE)
    if (!cpu.long_mode() || (cpu.cr3 & kPcidMask)) return false;
  return true;
}

bool set_cr4(Cpu& cpu, u64 value) {
  if (!cr4_acceptable(cpu, value)) return gp(cpu);
  const u64 changed = cpu.cr4 ^ value;
  // SDM 3A 4.4.1: a change of PAE, PGE, PSE or SMEP loads the PDPTE registers.
  if (pae_paging(cpu.cr0, value, cpu.efer) &&
      (changed & (cr4::PAE | cr4::PGE | cr4::PSE | cr4::SMEP)))
    if (!reload_pdptes(cpu, cpu.cr3)) return false;
  cpu.cr4 = value;
  cpu.update_mode();
  // SDM 3A 4.10.4.1. SMAP and protection keys need none: TLB contexts are keyed by them.
  constexpr u64 kTranslation = cr4::PSE | cr4::PAE | cr4::PGE | cr4::LA57 | cr4::PCIDE | cr4::SMEP;
  if (changed & kTranslation) cpu.tlb_flush_everything();
  return true;
}

bool efer_acceptable(const Cpu& cpu, u64 value) {
  if (value & ~(efer_supported(cpu) | efer::LMA)) return false;
  const u64 changed = cpu.efer ^ value;
  if ((changed & efer::LME) && (cpu.cr0 & cr0::PG)) return false;
  constexpr u64 kSvmDisabled = 1 << 4;  // VM_CR.SVMDIS, APM 2 15.30.1
  if ((value & efer::SVME) && (cpu.msr.vm_cr & kSvmDisabled)) return false;
  return true;
}

bool set_efer(Cpu& cpu, u64 value) {
  if (!efer_acceptable(cpu, value)) return gp(cpu);
  value = (value & ~efer::LMA) | (cpu.efer & efer::LMA);  // LMA is the processor's to set
  const u64 changed = cpu.efer ^ value;
  cpu.efer = value;
  cpu.update_mode();
  if (changed & efer::NXE) cpu.tlb_flush_everything();
  return true;
}

void set_pkru(Cpu& cpu, u32 value) {
  if (cpu.pkru == value) return;
  cpu.pkru = value;
  cpu.update_mode();
}

void set_pkrs(Cpu& cpu, u32 value) {
  if (cpu.pkrs == value) return;
  cpu.pkrs = value;
  cpu.update_mode();
}

}  // namespace softvt
