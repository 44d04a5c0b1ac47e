// SDM 3C 27.3.1.1 "Checks on Guest Control Registers, Debug Registers, and MSRs", 27.3.1.3 "Checks
// on Guest Descriptor-Table Registers", 27.3.1.4 "Checks on Guest RIP, RFLAGS, and SSP".
#include "cpu/bits.h"
#include "vmx/entry_checks.h"

namespace softvt::vmx {
namespace {

using enum Field;
using C = const CheckContext&;

bool guest64(C c) { return c.on(Control::Ia32eModeGuest); }
bool paging(C c) { return c[GUEST_CR0] & cr0::PG; }

u64 cr0_must(C c) {
  const u64 free = c.on(Control::UnrestrictedGuest) ? cr0::PE | cr0::PG : 0;
  return c.caps.cr0_fixed0 & ~free;
}

// IA32_DEBUGCTL. SDM 4 table 2-2, address 1D9H.
constexpr u64 kDebugctlDefined = 0xffc3;

template <Field F>
bool canonical_field(C c) {
  return canonical(c, F);
}
template <Field F>
bool limit16(C c) {
  return (c[F] >> 16) == 0;
}
constexpr std::string_view kCanonical = "must be canonical";

bool in_64bit_mode(C c) { return guest64(c) && (c[GUEST_CS_AR_BYTES] & seg_rights::L); }

bool rip_canonical(C c) {
  if (!in_64bit_mode(c)) return true;
  // Bits 63:N are equal, N the linear-address width: one more than canonical demands.
  const i64 rip = static_cast<i64>(c[GUEST_RIP]) >> c.caps.linear_bits;
  return rip == 0 || rip == -1;
}

constexpr u64 kFlagsReserved = ~(rflags::All | rflags::Fixed1);

bool flags_vm(C c) {
  if ((c[GUEST_RFLAGS] & rflags::VM) == 0) return true;
  return !guest64(c) && (c[GUEST_CR0] & cr0::PE);
}
bool flags_if(C c) {
  return !Injection(c).is(injected::kExternal) || (c[GUEST_RFLAGS] & rflags::IF);
}
bool efer_lme(C c) {
  if (!c.on(Control::LoadGuestEfer) || !paging(c)) return true;
  return ((c[GUEST_IA32_EFER] & efer::LMA) != 0) == ((c[GUEST_IA32_EFER] & efer::LME) != 0);
}

constexpr CheckRow kRows[] = {
    {"guest.cr0.fixed",
     "27.3.1.1",
     {GUEST_CR0, SECONDARY_VM_EXEC_CONTROL, CPU_BASED_VM_EXEC_CONTROL},
     [](C c) { return fixed_bits(c[GUEST_CR0], cr0_must(c), c.caps.cr0_fixed1); },
     "bits must be as IA32_VMX_CR0_FIXED0 and IA32_VMX_CR0_FIXED1 say; PE and PG are free with "
     "\"unrestricted guest\"",
     [](C c) { return must_bits(cr0_must(c), c.caps.cr0_fixed1); }},
    {"guest.cr0.pg_pe",
     "27.3.1.1",
     {GUEST_CR0},
     [](C c) { return !paging(c) || (c[GUEST_CR0] & cr0::PE); },
     "PE (bit 0) must be 1 if PG (bit 31) is 1"},
    {"guest.cr4.fixed",
     "27.3.1.1",
     {GUEST_CR4},
     [](C c) { return fixed_bits(c[GUEST_CR4], c.caps.cr4_fixed0, c.caps.cr4_fixed1); },
     "bits must be as IA32_VMX_CR4_FIXED0 and IA32_VMX_CR4_FIXED1 say",
     [](C c) { return must_bits(c.caps.cr4_fixed0, c.caps.cr4_fixed1); }},
    {"guest.debugctl.reserved",
     "27.3.1.1",
     {GUEST_IA32_DEBUGCTL, VM_ENTRY_CONTROLS},
     [](C c) {
       return !c.on(Control::LoadDebugControls) ||
              (c[GUEST_IA32_DEBUGCTL] & ~kDebugctlDefined) == 0;
     },
     "reserved bits must be 0 with \"load debug controls\"",
     [](C) { return must_bits(0, kDebugctlDefined); }},
    {"guest.ia32e.paging",
     "27.3.1.1",
     {GUEST_CR0, VM_ENTRY_CONTROLS},
     [](C c) { return !guest64(c) || paging(c); },
     "PG (bit 31) must be 1 with \"IA-32e mode guest\""},
    {"guest.ia32e.pae",
     "27.3.1.1",
     {GUEST_CR4, VM_ENTRY_CONTROLS},
     [](C c) { return !guest64(c) || (c[GUEST_CR4] & cr4::PAE); },
     "PAE (bit 5) must be 1 with \"IA-32e mode guest\""},
    {"guest.cr4.pcide",
     "27.3.1.1",
     {GUEST_CR4, VM_ENTRY_CONTROLS},
     [](C c) { return guest64(c) || (c[GUEST_CR4] & cr4::PCIDE) == 0; },
     "PCIDE (bit 17) must be 0 without \"IA-32e mode guest\""},
    {"guest.cr3.width",
     "27.3.1.1",
     {GUEST_CR3},
     [](C c) { return physical(c, c[GUEST_CR3]); },
     "bits beyond the physical-address width must be 0",
     [](C c) { return must_bits(0, ~c.caps.physical_limit()); }},
    {"guest.dr7",
     "27.3.1.1",
     {GUEST_DR7, VM_ENTRY_CONTROLS},
     [](C c) { return !c.on(Control::LoadDebugControls) || upper_half_clear(c, GUEST_DR7); },
     "bits 63:32 must be 0 with \"load debug controls\""},
    {"guest.sysenter_esp.canonical",
     "27.3.1.1",
     {GUEST_SYSENTER_ESP},
     canonical_field<GUEST_SYSENTER_ESP>,
     kCanonical},
    {"guest.sysenter_eip.canonical",
     "27.3.1.1",
     {GUEST_SYSENTER_EIP},
     canonical_field<GUEST_SYSENTER_EIP>,
     kCanonical},
    {"guest.pat",
     "27.3.1.1",
     {GUEST_IA32_PAT, VM_ENTRY_CONTROLS},
     [](C c) { return !c.on(Control::LoadGuestPat) || valid_pat(c[GUEST_IA32_PAT]); },
     "each of the eight bytes must be 0, 1, 4, 5, 6 or 7"},
    {"guest.efer.reserved",
     "27.3.1.1",
     {GUEST_IA32_EFER, VM_ENTRY_CONTROLS},
     [](C c) {
       return !c.on(Control::LoadGuestEfer) || (c[GUEST_IA32_EFER] & ~c.caps.efer_defined) == 0;
     },
     "reserved bits must be 0",
     [](C c) { return must_bits(0, c.caps.efer_defined); }},
    {"guest.efer.lma",
     "27.3.1.1",
     {GUEST_IA32_EFER, VM_ENTRY_CONTROLS},
     [](C c) {
       return !c.on(Control::LoadGuestEfer) ||
              ((c[GUEST_IA32_EFER] & efer::LMA) != 0) == guest64(c);
     },
     "LMA (bit 10) must equal \"IA-32e mode guest\""},
    {"guest.efer.lme",
     "27.3.1.1",
     {GUEST_IA32_EFER, VM_ENTRY_CONTROLS, GUEST_CR0},
     efer_lme,
     "LME (bit 8) must equal LMA (bit 10) if CR0.PG is 1"},
    {"guest.pkrs",
     "27.3.1.1",
     {GUEST_IA32_PKRS, VM_ENTRY_CONTROLS},
     [](C c) { return !c.on(Control::LoadGuestPkrs) || upper_half_clear(c, GUEST_IA32_PKRS); },
     "bits 63:32 must be 0"},

    {"guest.gdtr.base",
     "27.3.1.3",
     {GUEST_GDTR_BASE},
     canonical_field<GUEST_GDTR_BASE>,
     kCanonical},
    {"guest.idtr.base",
     "27.3.1.3",
     {GUEST_IDTR_BASE},
     canonical_field<GUEST_IDTR_BASE>,
     kCanonical},
    {"guest.gdtr.limit",
     "27.3.1.3",
     {GUEST_GDTR_LIMIT},
     limit16<GUEST_GDTR_LIMIT>,
     "bits 31:16 must be 0"},
    {"guest.idtr.limit",
     "27.3.1.3",
     {GUEST_IDTR_LIMIT},
     limit16<GUEST_IDTR_LIMIT>,
     "bits 31:16 must be 0"},

    {"guest.rip.upper",
     "27.3.1.4",
     {GUEST_RIP, VM_ENTRY_CONTROLS, GUEST_CS_AR_BYTES},
     [](C c) { return in_64bit_mode(c) || upper_half_clear(c, GUEST_RIP); },
     "bits 63:32 must be 0 outside 64-bit mode"},
    {"guest.rip.canonical",
     "27.3.1.4",
     {GUEST_RIP, VM_ENTRY_CONTROLS, GUEST_CS_AR_BYTES},
     rip_canonical,
     "bits beyond the linear-address width must be equal in 64-bit mode"},
    {"guest.rflags.reserved",
     "27.3.1.4",
     {GUEST_RFLAGS},
     [](C c) { return (c[GUEST_RFLAGS] & kFlagsReserved) == 0; },
     "bits 63:22, 15, 5 and 3 must be 0",
     [](C) { return must_bits(rflags::Fixed1, rflags::All | rflags::Fixed1); }},
    {"guest.rflags.fixed",
     "27.3.1.4",
     {GUEST_RFLAGS},
     [](C c) { return (c[GUEST_RFLAGS] & rflags::Fixed1) != 0; },
     "bit 1 must be 1"},
    {"guest.rflags.vm",
     "27.3.1.4",
     {GUEST_RFLAGS, VM_ENTRY_CONTROLS, GUEST_CR0},
     flags_vm,
     "VM (bit 17) must be 0 with \"IA-32e mode guest\" or CR0.PE = 0"},
    {"guest.rflags.if",
     "27.3.1.4",
     {GUEST_RFLAGS, VM_ENTRY_INTR_INFO},
     flags_if,
     "IF (bit 9) must be 1 if an external interrupt is injected"},
};

}  // namespace

std::span<const CheckRow> check_tables::guest_registers() { return kRows; }

}  // namespace softvt::vmx
