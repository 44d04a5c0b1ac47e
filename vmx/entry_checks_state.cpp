// SDM 3C 27.3.1.5 "Checks on Guest Non-Register State", 27.3.1.6 "Checks on Guest
// Page-Directory-Pointer-Table Entries".
#include "cpu/bits.h"
#include "cpu/phys_memory.h"
#include "vmx/entry_checks.h"

namespace softvt::vmx {
namespace {

using enum Field;
using C = const CheckContext&;

enum Activity : u64 { kActive = 0, kHlt = 1, kShutdown = 2, kWaitForSipi = 3 };
constexpr u64 kSti = 1, kMovSs = 2, kSmi = 4, kNmi = 8, kEnclave = 16;

bool blocked_by(C c, u64 bits) { return c[GUEST_INTERRUPTIBILITY_INFO] & bits; }

bool activity_injection(C c) {
  const Injection i(c);
  if (!i.valid()) return true;
  const unsigned v = i.vector();
  switch (c[GUEST_ACTIVITY_STATE]) {
    case kHlt:
      return i.is(injected::kExternal) || i.is(injected::kNmi) ||
             (i.is(injected::kHardware) && (v == 1 || v == 18)) ||
             (i.is(injected::kOther) && v == 0);
    case kShutdown:
      return i.is(injected::kNmi) || (i.is(injected::kHardware) && v == 18);
    case kWaitForSipi:
      return false;
    default:
      return true;
  }
}

namespace pending {
constexpr u64 kEnabled = 1 << 12, kBs = 1 << 14, kDefined = 0xf | kEnabled | kBs;
}
constexpr u64 kDebugctlBtf = 2;

bool pending_bs(C c) {
  if (!blocked_by(c, kSti | kMovSs) && c[GUEST_ACTIVITY_STATE] != kHlt) return true;
  const bool tf = c[GUEST_RFLAGS] & rflags::TF, btf = c[GUEST_IA32_DEBUGCTL] & kDebugctlBtf;
  const bool bs = c[GUEST_PENDING_DBG_EXCEPTIONS] & pending::kBs;
  return bs == (tf && !btf);
}

constexpr u64 kNoLink = ~u64{0};
bool linked(C c) { return c[VMCS_LINK_POINTER] != kNoLink; }
bool link_revision(C c) {
  if (!linked(c) || c.mem == nullptr || !page_address(c, VMCS_LINK_POINTER)) return true;
  u32 revision = 0;
  return c.mem->read(c[VMCS_LINK_POINTER], &revision, 4) && revision == kRevisionId;
}

bool pae_paging(C c) {
  return (c[GUEST_CR0] & cr0::PG) && (c[GUEST_CR4] & cr4::PAE) && !c.on(Control::Ia32eModeGuest);
}
// SDM 3A 4.4.1, table 4-8: bits 2:1, 8:5 and those beyond the physical-address width.
bool pdpte_ok(C c, u64 entry) {
  constexpr u64 kReserved = 0x1e6;
  return (entry & 1) == 0 || ((entry & kReserved) == 0 && physical(c, entry));
}
template <Field Entry, unsigned Number>
bool pdpte(C c) {
  if (!pae_paging(c)) return true;
  if (c.on(Control::EnableEpt)) return pdpte_ok(c, c[Entry]);
  u64 entry = 0;
  if (c.mem == nullptr) return true;
  // What is not memory reads as ones.
  if (!c.mem->read((c[GUEST_CR3] & 0xffffffe0) + 8 * Number, &entry, 8)) entry = ~u64{0};
  return pdpte_ok(c, entry);
}

constexpr std::string_view kState = "27.3.1.5";
constexpr std::string_view kPdpteRule =
    "bits 2:1, 8:5 and those beyond the physical-address width must be 0 if P (bit 0) is 1, with "
    "PAE paging";
constexpr u8 kBadPdpte = 2, kBadLink = 4;

constexpr CheckRow kRows[] = {
    {"guest.activity.value",
     kState,
     {GUEST_ACTIVITY_STATE},
     [](C c) { return c[GUEST_ACTIVITY_STATE] <= kWaitForSipi; },
     "must be 0 (active), 1 (HLT), 2 (shutdown) or 3 (wait-for-SIPI)"},
    {"guest.activity.hlt_dpl",
     kState,
     {GUEST_ACTIVITY_STATE, GUEST_SS_AR_BYTES},
     [](C c) {
       return c[GUEST_ACTIVITY_STATE] != kHlt || (c[GUEST_SS_AR_BYTES] & seg_rights::DplMask) == 0;
     },
     "must not be 1 (HLT) if SS.DPL is not 0"},
    {"guest.activity.blocking",
     kState,
     {GUEST_ACTIVITY_STATE, GUEST_INTERRUPTIBILITY_INFO},
     [](C c) { return c[GUEST_ACTIVITY_STATE] == kActive || !blocked_by(c, kSti | kMovSs); },
     "must be 0 (active) while STI or MOV SS blocks events"},
    {"guest.activity.injection",
     kState,
     {GUEST_ACTIVITY_STATE, VM_ENTRY_INTR_INFO},
     activity_injection,
     "the injected event must be one that ends the activity state: HLT: interrupt, NMI, #DB, #MC, "
     "pending MTF; shutdown: NMI, #MC; wait-for-SIPI: none"},

    {"guest.interruptibility.reserved",
     kState,
     {GUEST_INTERRUPTIBILITY_INFO},
     [](C c) { return (c[GUEST_INTERRUPTIBILITY_INFO] >> 5) == 0; },
     "bits 31:5 must be 0"},
    {"guest.interruptibility.sti_mov_ss",
     kState,
     {GUEST_INTERRUPTIBILITY_INFO},
     [](C c) { return !blocked_by(c, kSti) || !blocked_by(c, kMovSs); },
     "bits 0 (blocking by STI) and 1 (blocking by MOV SS) must not both be 1"},
    {"guest.interruptibility.sti_if",
     kState,
     {GUEST_INTERRUPTIBILITY_INFO, GUEST_RFLAGS},
     [](C c) { return !blocked_by(c, kSti) || (c[GUEST_RFLAGS] & rflags::IF); },
     "bit 0 (blocking by STI) must be 0 if RFLAGS.IF is 0"},
    {"guest.interruptibility.interrupt",
     kState,
     {GUEST_INTERRUPTIBILITY_INFO, VM_ENTRY_INTR_INFO},
     [](C c) { return !Injection(c).is(injected::kExternal) || !blocked_by(c, kSti | kMovSs); },
     "bits 1:0 must be 0 if an external interrupt is injected"},
    {"guest.interruptibility.nmi",
     kState,
     {GUEST_INTERRUPTIBILITY_INFO, VM_ENTRY_INTR_INFO},
     [](C c) { return !Injection(c).is(injected::kNmi) || !blocked_by(c, kMovSs); },
     "bit 1 (blocking by MOV SS) must be 0 if an NMI is injected"},
    {"guest.interruptibility.smi",
     kState,
     {GUEST_INTERRUPTIBILITY_INFO},
     [](C c) { return !blocked_by(c, kSmi); },
     "bit 2 (blocking by SMI) must be 0 outside SMM"},
    {"guest.interruptibility.virtual_nmi",
     kState,
     {GUEST_INTERRUPTIBILITY_INFO, VM_ENTRY_INTR_INFO, PIN_BASED_VM_EXEC_CONTROL},
     [](C c) {
       return !Injection(c).is(injected::kNmi) || !c.on(Control::VirtualNmis) ||
              !blocked_by(c, kNmi);
     },
     "bit 3 (blocking by NMI) must be 0 if an NMI is injected with \"virtual NMIs\""},
    {"guest.interruptibility.enclave",
     kState,
     {GUEST_INTERRUPTIBILITY_INFO},
     [](C c) { return !blocked_by(c, kEnclave); },
     "bit 4 (enclave interruption) must be 0 without SGX"},

    {"guest.pending_debug.reserved",
     kState,
     {GUEST_PENDING_DBG_EXCEPTIONS},
     [](C c) { return (c[GUEST_PENDING_DBG_EXCEPTIONS] & ~pending::kDefined) == 0; },
     "reserved bits must be 0",
     [](C) { return must_bits(0, pending::kDefined); }},
    {"guest.pending_debug.bs",
     kState,
     {GUEST_PENDING_DBG_EXCEPTIONS, GUEST_INTERRUPTIBILITY_INFO, GUEST_ACTIVITY_STATE, GUEST_RFLAGS,
      GUEST_IA32_DEBUGCTL},
     pending_bs,
     "BS (bit 14) must be 1 exactly if RFLAGS.TF is 1 and IA32_DEBUGCTL.BTF is 0, under blocking "
     "by STI or MOV SS and in the HLT state"},

    {"guest.link_pointer.address",
     kState,
     {VMCS_LINK_POINTER},
     [](C c) { return !linked(c) || page_address(c, VMCS_LINK_POINTER); },
     "must be FFFFFFFF_FFFFFFFFH, or page aligned and within the physical-address width",
     nullptr,
     kBadLink},
    {"guest.link_pointer.revision",
     kState,
     {VMCS_LINK_POINTER},
     link_revision,
     "the region must begin with the VMCS revision identifier, shadow-VMCS indicator 0",
     nullptr,
     kBadLink},
    {"guest.link_pointer.current",
     kState,
     {VMCS_LINK_POINTER},
     [](C c) { return !linked(c) || c[VMCS_LINK_POINTER] != c.current_vmcs; },
     "must not be the current-VMCS pointer",
     nullptr,
     kBadLink},

    {"guest.pdpte0",
     "27.3.1.6",
     {GUEST_PDPTE0, GUEST_CR0, GUEST_CR3, GUEST_CR4, VM_ENTRY_CONTROLS, SECONDARY_VM_EXEC_CONTROL,
      CPU_BASED_VM_EXEC_CONTROL},
     pdpte<GUEST_PDPTE0, 0>,
     kPdpteRule,
     nullptr,
     kBadPdpte},
    {"guest.pdpte1",
     "27.3.1.6",
     {GUEST_PDPTE1, GUEST_CR0, GUEST_CR3, GUEST_CR4, VM_ENTRY_CONTROLS, SECONDARY_VM_EXEC_CONTROL,
      CPU_BASED_VM_EXEC_CONTROL},
     pdpte<GUEST_PDPTE1, 1>,
     kPdpteRule,
     nullptr,
     kBadPdpte},
    {"guest.pdpte2",
     "27.3.1.6",
     {GUEST_PDPTE2, GUEST_CR0, GUEST_CR3, GUEST_CR4, VM_ENTRY_CONTROLS, SECONDARY_VM_EXEC_CONTROL,
      CPU_BASED_VM_EXEC_CONTROL},
     pdpte<GUEST_PDPTE2, 2>,
     kPdpteRule,
     nullptr,
     kBadPdpte},
    {"guest.pdpte3",
     "27.3.1.6",
     {GUEST_PDPTE3, GUEST_CR0, GUEST_CR3, GUEST_CR4, VM_ENTRY_CONTROLS, SECONDARY_VM_EXEC_CONTROL,
      CPU_BASED_VM_EXEC_CONTROL},
     pdpte<GUEST_PDPTE3, 3>,
     kPdpteRule,
     nullptr,
     kBadPdpte},
};

}  // namespace

std::span<const CheckRow> check_tables::guest_state() { return kRows; }

}  // namespace softvt::vmx
