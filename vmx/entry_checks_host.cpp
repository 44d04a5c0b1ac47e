// SDM 3C 27.2.2 "Checks on Host Control Registers, MSRs, and SSP", 27.2.3 "Checks on Host Segment
// and Descriptor-Table Registers", 27.2.4 "Checks Related to Address-Space Size".
#include "cpu/bits.h"
#include "vmx/entry_checks.h"

namespace softvt::vmx {
namespace {

using enum Field;
using C = const CheckContext&;

bool host64(C c) { return c.on(Control::HostAddressSpaceSize); }

template <Field F>
bool canonical_field(C c) {
  return canonical(c, F);
}
// RPL and TI are 0.
template <Field F>
bool plain_selector(C c) {
  return (c[F] & 7) == 0;
}
constexpr std::string_view kCanonical = "must be canonical";
constexpr std::string_view kPlainSelector = "RPL (bits 1:0) and TI (bit 2) must be 0";

bool efer_size(C c) {
  if (!c.on(Control::LoadHostEfer)) return true;
  const u64 wanted = host64(c) ? efer::LMA | efer::LME : 0;
  return (c[HOST_IA32_EFER] & (efer::LMA | efer::LME)) == wanted;
}

constexpr CheckRow kRows[] = {
    {"host.cr0.fixed",
     "27.2.2",
     {HOST_CR0},
     [](C c) { return fixed_bits(c[HOST_CR0], c.caps.cr0_fixed0, c.caps.cr0_fixed1); },
     "bits must be as IA32_VMX_CR0_FIXED0 and IA32_VMX_CR0_FIXED1 say",
     [](C c) { return must_bits(c.caps.cr0_fixed0, c.caps.cr0_fixed1); }},
    {"host.cr4.fixed",
     "27.2.2",
     {HOST_CR4},
     [](C c) { return fixed_bits(c[HOST_CR4], c.caps.cr4_fixed0, c.caps.cr4_fixed1); },
     "bits must be as IA32_VMX_CR4_FIXED0 and IA32_VMX_CR4_FIXED1 say",
     [](C c) { return must_bits(c.caps.cr4_fixed0, c.caps.cr4_fixed1); }},
    {"host.cr3.width",
     "27.2.2",
     {HOST_CR3},
     [](C c) { return physical(c, c[HOST_CR3]); },
     "bits beyond the physical-address width must be 0",
     [](C c) { return must_bits(0, ~c.caps.physical_limit()); }},
    {"host.sysenter_esp.canonical",
     "27.2.2",
     {HOST_IA32_SYSENTER_ESP},
     canonical_field<HOST_IA32_SYSENTER_ESP>,
     kCanonical},
    {"host.sysenter_eip.canonical",
     "27.2.2",
     {HOST_IA32_SYSENTER_EIP},
     canonical_field<HOST_IA32_SYSENTER_EIP>,
     kCanonical},
    {"host.pat",
     "27.2.2",
     {HOST_IA32_PAT, VM_EXIT_CONTROLS},
     [](C c) { return !c.on(Control::LoadHostPat) || valid_pat(c[HOST_IA32_PAT]); },
     "each of the eight bytes must be 0, 1, 4, 5, 6 or 7"},
    {"host.efer.reserved",
     "27.2.2",
     {HOST_IA32_EFER, VM_EXIT_CONTROLS},
     [](C c) {
       return !c.on(Control::LoadHostEfer) || (c[HOST_IA32_EFER] & ~c.caps.efer_defined) == 0;
     },
     "reserved bits must be 0",
     [](C c) { return must_bits(0, c.caps.efer_defined); }},
    {"host.efer.size",
     "27.2.2",
     {HOST_IA32_EFER, VM_EXIT_CONTROLS},
     efer_size,
     "LMA (bit 10) and LME (bit 8) must each equal \"host address-space size\""},
    {"host.pkrs",
     "27.2.2",
     {HOST_IA32_PKRS, VM_EXIT_CONTROLS},
     [](C c) { return !c.on(Control::LoadHostPkrs) || upper_half_clear(c, HOST_IA32_PKRS); },
     "bits 63:32 must be 0"},

    {"host.cs.selector",
     "27.2.3",
     {HOST_CS_SELECTOR},
     plain_selector<HOST_CS_SELECTOR>,
     kPlainSelector},
    {"host.ss.selector",
     "27.2.3",
     {HOST_SS_SELECTOR},
     plain_selector<HOST_SS_SELECTOR>,
     kPlainSelector},
    {"host.ds.selector",
     "27.2.3",
     {HOST_DS_SELECTOR},
     plain_selector<HOST_DS_SELECTOR>,
     kPlainSelector},
    {"host.es.selector",
     "27.2.3",
     {HOST_ES_SELECTOR},
     plain_selector<HOST_ES_SELECTOR>,
     kPlainSelector},
    {"host.fs.selector",
     "27.2.3",
     {HOST_FS_SELECTOR},
     plain_selector<HOST_FS_SELECTOR>,
     kPlainSelector},
    {"host.gs.selector",
     "27.2.3",
     {HOST_GS_SELECTOR},
     plain_selector<HOST_GS_SELECTOR>,
     kPlainSelector},
    {"host.tr.selector",
     "27.2.3",
     {HOST_TR_SELECTOR},
     plain_selector<HOST_TR_SELECTOR>,
     kPlainSelector},
    {"host.cs.null",
     "27.2.3",
     {HOST_CS_SELECTOR},
     [](C c) { return c[HOST_CS_SELECTOR] != 0; },
     "must not be 0000H"},
    {"host.tr.null",
     "27.2.3",
     {HOST_TR_SELECTOR},
     [](C c) { return c[HOST_TR_SELECTOR] != 0; },
     "must not be 0000H"},
    {"host.ss.null",
     "27.2.3",
     {HOST_SS_SELECTOR, VM_EXIT_CONTROLS},
     [](C c) { return host64(c) || c[HOST_SS_SELECTOR] != 0; },
     "must not be 0000H if \"host address-space size\" is 0"},
    {"host.fs_base.canonical", "27.2.3", {HOST_FS_BASE}, canonical_field<HOST_FS_BASE>, kCanonical},
    {"host.gs_base.canonical", "27.2.3", {HOST_GS_BASE}, canonical_field<HOST_GS_BASE>, kCanonical},
    {"host.gdtr_base.canonical",
     "27.2.3",
     {HOST_GDTR_BASE},
     canonical_field<HOST_GDTR_BASE>,
     kCanonical},
    {"host.idtr_base.canonical",
     "27.2.3",
     {HOST_IDTR_BASE},
     canonical_field<HOST_IDTR_BASE>,
     kCanonical},
    {"host.tr_base.canonical", "27.2.3", {HOST_TR_BASE}, canonical_field<HOST_TR_BASE>, kCanonical},

    {"host.size.legacy_guest",
     "27.2.4",
     {VM_ENTRY_CONTROLS},
     [](C c) { return c.host_ia32e || !c.on(Control::Ia32eModeGuest); },
     "\"IA-32e mode guest\" must be 0 if the processor is outside IA-32e mode at VM entry"},
    {"host.size.legacy_host",
     "27.2.4",
     {VM_EXIT_CONTROLS},
     [](C c) { return c.host_ia32e || !host64(c); },
     "\"host address-space size\" must be 0 if the processor is outside IA-32e mode at VM entry"},
    {"host.size.ia32e_host",
     "27.2.4",
     {VM_EXIT_CONTROLS},
     [](C c) { return !c.host_ia32e || host64(c); },
     "\"host address-space size\" must be 1 if the processor is in IA-32e mode at VM entry"},
    {"host.size.guest_mode",
     "27.2.4",
     {VM_ENTRY_CONTROLS, VM_EXIT_CONTROLS},
     [](C c) { return host64(c) || !c.on(Control::Ia32eModeGuest); },
     "\"IA-32e mode guest\" must be 0 if \"host address-space size\" is 0"},
    {"host.size.pcide",
     "27.2.4",
     {HOST_CR4, VM_EXIT_CONTROLS},
     [](C c) { return host64(c) || (c[HOST_CR4] & cr4::PCIDE) == 0; },
     "CR4.PCIDE (bit 17) must be 0 if \"host address-space size\" is 0"},
    {"host.size.rip",
     "27.2.4",
     {HOST_RIP, VM_EXIT_CONTROLS},
     [](C c) { return host64(c) || upper_half_clear(c, HOST_RIP); },
     "bits 63:32 must be 0 if \"host address-space size\" is 0"},
    {"host.size.pae",
     "27.2.4",
     {HOST_CR4, VM_EXIT_CONTROLS},
     [](C c) { return !host64(c) || (c[HOST_CR4] & cr4::PAE); },
     "CR4.PAE (bit 5) must be 1 if \"host address-space size\" is 1"},
    {"host.rip.canonical",
     "27.2.4",
     {HOST_RIP, VM_EXIT_CONTROLS},
     [](C c) { return !host64(c) || canonical(c, HOST_RIP); },
     "must be canonical if \"host address-space size\" is 1"},
};

}  // namespace

std::span<const CheckRow> check_tables::host() { return kRows; }

}  // namespace softvt::vmx
