// SDM 3C 27.2.1 "Checks on VMX Controls".
#include "vmx/entry_checks.h"

namespace softvt::vmx {
namespace {

using enum Field;
using C = const CheckContext&;

template <ControlGroup G, Field F>
bool within_limits(C c) {
  return c.caps.limit(G).allows(c.vmcs.get32(F));
}
template <ControlGroup G>
std::string limits_text(C c) {
  return must_bits(c.caps.limit(G).allowed0, c.caps.limit(G).allowed1);
}

template <Field Address>
bool bitmap_address(C c) {
  return !c.on(Control::IoBitmaps) || page_address(c, Address);
}

// The area of `count` entries of 16 bytes lies within the physical-address width.
template <Field Count, Field Address>
bool area_aligned(C c) {
  return c[Count] == 0 || ((c[Address] & 15) == 0 && physical(c, c[Address]));
}
template <Field Count, Field Address>
bool area_inside(C c) {
  if (c[Count] == 0) return true;
  const u64 last = c[Address] + c[Count] * 16 - 1;
  return last >= c[Address] && physical(c, last);
}

namespace eptp {
constexpr u64 kTypeMask = 7, kUncacheable = 0, kWriteBack = 6, kWalkMask = 7 << 3, kWalk4 = 3 << 3,
              kAccessedDirty = 1 << 6, kReserved = 0xf80;
}

bool eptp_type(C c) {
  if (!c.on(Control::EnableEpt)) return true;
  const u64 type = c[EPT_POINTER] & eptp::kTypeMask;
  return (type == eptp::kUncacheable && (c.caps.ept_vpid & ept_vpid::Uncacheable)) ||
         (type == eptp::kWriteBack && (c.caps.ept_vpid & ept_vpid::WriteBack));
}
bool eptp_walk(C c) {
  return !c.on(Control::EnableEpt) || (c[EPT_POINTER] & eptp::kWalkMask) == eptp::kWalk4;
}
bool eptp_accessed(C c) {
  return !c.on(Control::EnableEpt) || (c[EPT_POINTER] & eptp::kAccessedDirty) == 0 ||
         (c.caps.ept_vpid & ept_vpid::AccessedDirty);
}
bool eptp_reserved(C c) {
  return !c.on(Control::EnableEpt) ||
         ((c[EPT_POINTER] & eptp::kReserved) == 0 && physical(c, c[EPT_POINTER]));
}

// #DF #TS #NP #SS #GP #PF #AC push an error code.
constexpr u32 kErrorVectors = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;

bool injection_type(C c) {
  const Injection i(c);
  if (!i.valid()) return true;
  if (i.type() == injected::kReserved) return false;
  return i.type() != injected::kOther || c.caps.supports(Control::MonitorTrapFlag);
}
bool injection_vector(C c) {
  const Injection i(c);
  if (i.is(injected::kNmi)) return i.vector() == 2;
  if (i.is(injected::kHardware)) return i.vector() <= 31;
  return !i.is(injected::kOther) || i.vector() == 0;
}
bool injection_error_code(C c) {
  const Injection i(c);
  if (!i.valid()) return true;
  const bool protected_mode = !c.on(Control::UnrestrictedGuest) || (c[GUEST_CR0] & 1);
  const bool wanted = i.type() == injected::kHardware && protected_mode && i.vector() < 32 &&
                      (kErrorVectors >> i.vector() & 1);
  return i.error() == wanted;
}
bool injection_reserved(C c) {
  const Injection i(c);
  return !i.valid() || (i.info & 0x7ffff000) == 0;
}
bool injection_error_value(C c) {
  const Injection i(c);
  return !i.valid() || !i.error() || (c[VM_ENTRY_EXCEPTION_ERROR_CODE] >> 16) == 0;
}
bool injection_length(C c) {
  const Injection i(c);
  const bool software = i.is(injected::kSoftwareInt) || i.is(injected::kPrivileged) ||
                        i.is(injected::kSoftwareException);
  if (!software) return true;
  const u64 least = (c.caps.misc & misc::ZeroLengthInjection) ? 0 : 1;
  return c[VM_ENTRY_INSTRUCTION_LEN] >= least && c[VM_ENTRY_INSTRUCTION_LEN] <= 15;
}

constexpr CheckRow kRows[] = {
    {"control.pin.reserved",
     "27.2.1.1",
     {PIN_BASED_VM_EXEC_CONTROL},
     within_limits<ControlGroup::Pin, PIN_BASED_VM_EXEC_CONTROL>,
     "reserved bits must be as IA32_VMX_TRUE_PINBASED_CTLS says",
     limits_text<ControlGroup::Pin>},
    {"control.primary.reserved",
     "27.2.1.1",
     {CPU_BASED_VM_EXEC_CONTROL},
     within_limits<ControlGroup::Primary, CPU_BASED_VM_EXEC_CONTROL>,
     "reserved bits must be as IA32_VMX_TRUE_PROCBASED_CTLS says",
     limits_text<ControlGroup::Primary>},
    {"control.secondary.reserved",
     "27.2.1.1",
     {SECONDARY_VM_EXEC_CONTROL, CPU_BASED_VM_EXEC_CONTROL},
     [](C c) {
       return !c.on(Control::SecondaryControls) ||
              within_limits<ControlGroup::Secondary, SECONDARY_VM_EXEC_CONTROL>(c);
     },
     "reserved bits must be as IA32_VMX_PROCBASED_CTLS2 says",
     limits_text<ControlGroup::Secondary>},
    {"control.cr3_target_count",
     "27.2.1.1",
     {CR3_TARGET_COUNT},
     [](C c) { return c[CR3_TARGET_COUNT] <= c.caps.cr3_targets(); },
     "the CR3-target count must not exceed IA32_VMX_MISC[24:16]",
     [](C c) { return "at most " + std::to_string(c.caps.cr3_targets()); }},
    {"control.io_bitmap_a.address",
     "27.2.1.1",
     {IO_BITMAP_A, CPU_BASED_VM_EXEC_CONTROL},
     bitmap_address<IO_BITMAP_A>,
     "with \"use I/O bitmaps\" the address must be page aligned and within the physical-address "
     "width"},
    {"control.io_bitmap_b.address",
     "27.2.1.1",
     {IO_BITMAP_B, CPU_BASED_VM_EXEC_CONTROL},
     bitmap_address<IO_BITMAP_B>,
     "with \"use I/O bitmaps\" the address must be page aligned and within the physical-address "
     "width"},
    {"control.msr_bitmap.address",
     "27.2.1.1",
     {MSR_BITMAP, CPU_BASED_VM_EXEC_CONTROL},
     [](C c) { return !c.on(Control::MsrBitmaps) || page_address(c, MSR_BITMAP); },
     "with \"use MSR bitmaps\" the address must be page aligned and within the physical-address "
     "width"},
    {"control.virtual_nmis",
     "27.2.1.1",
     {PIN_BASED_VM_EXEC_CONTROL},
     [](C c) { return c.on(Control::NmiExiting) || !c.on(Control::VirtualNmis); },
     "\"virtual NMIs\" must be 0 if \"NMI exiting\" is 0"},
    {"control.nmi_window",
     "27.2.1.1",
     {CPU_BASED_VM_EXEC_CONTROL, PIN_BASED_VM_EXEC_CONTROL},
     [](C c) { return c.on(Control::VirtualNmis) || !c.on(Control::NmiWindowExiting); },
     "\"NMI-window exiting\" must be 0 if \"virtual NMIs\" is 0"},
    {"control.vpid.zero",
     "27.2.1.1",
     {VIRTUAL_PROCESSOR_ID, SECONDARY_VM_EXEC_CONTROL, CPU_BASED_VM_EXEC_CONTROL},
     [](C c) { return !c.on(Control::EnableVpid) || c[VIRTUAL_PROCESSOR_ID] != 0; },
     "with \"enable VPID\" the VPID must not be 0000H"},
    {"control.eptp.memory_type",
     "27.2.1.1",
     {EPT_POINTER, SECONDARY_VM_EXEC_CONTROL, CPU_BASED_VM_EXEC_CONTROL},
     eptp_type,
     "bits 2:0 must be a memory type of IA32_VMX_EPT_VPID_CAP: 0 (uncacheable) or 6 (write-back)"},
    {"control.eptp.walk_length",
     "27.2.1.1",
     {EPT_POINTER, SECONDARY_VM_EXEC_CONTROL, CPU_BASED_VM_EXEC_CONTROL},
     eptp_walk,
     "bits 5:3 must be 3: page-walk length 4"},
    {"control.eptp.reserved",
     "27.2.1.1",
     {EPT_POINTER, SECONDARY_VM_EXEC_CONTROL, CPU_BASED_VM_EXEC_CONTROL},
     eptp_reserved,
     "bits 11:7 and those beyond the physical-address width must be 0"},
    {"control.eptp.accessed_dirty",
     "27.2.1.1",
     {EPT_POINTER, SECONDARY_VM_EXEC_CONTROL, CPU_BASED_VM_EXEC_CONTROL},
     eptp_accessed,
     "bit 6 must be 0 if IA32_VMX_EPT_VPID_CAP[21] is 0"},
    {"control.unrestricted_guest.ept",
     "27.2.1.1",
     {SECONDARY_VM_EXEC_CONTROL, CPU_BASED_VM_EXEC_CONTROL},
     [](C c) { return c.on(Control::EnableEpt) || !c.on(Control::UnrestrictedGuest); },
     "\"unrestricted guest\" must be 0 if \"enable EPT\" is 0"},
    {"control.mode_based_execute.ept",
     "27.2.1.1",
     {SECONDARY_VM_EXEC_CONTROL, CPU_BASED_VM_EXEC_CONTROL},
     [](C c) { return c.on(Control::EnableEpt) || !c.on(Control::ModeBasedExecute); },
     "\"mode-based execute control for EPT\" must be 0 if \"enable EPT\" is 0"},

    {"control.exit.reserved",
     "27.2.1.2",
     {VM_EXIT_CONTROLS},
     within_limits<ControlGroup::Exit, VM_EXIT_CONTROLS>,
     "reserved bits must be as IA32_VMX_TRUE_EXIT_CTLS says",
     limits_text<ControlGroup::Exit>},
    {"control.exit.save_preemption_timer",
     "27.2.1.2",
     {VM_EXIT_CONTROLS, PIN_BASED_VM_EXEC_CONTROL},
     [](C c) { return c.on(Control::PreemptionTimer) || !c.on(Control::SavePreemptionTimer); },
     "\"save VMX-preemption timer value\" must be 0 if \"activate VMX-preemption timer\" is 0"},
    {"control.exit.msr_store.address",
     "27.2.1.2",
     {VM_EXIT_MSR_STORE_ADDR, VM_EXIT_MSR_STORE_COUNT},
     area_aligned<VM_EXIT_MSR_STORE_COUNT, VM_EXIT_MSR_STORE_ADDR>,
     "bits 3:0 and those beyond the physical-address width must be 0 if the count is not 0"},
    {"control.exit.msr_store.end",
     "27.2.1.2",
     {VM_EXIT_MSR_STORE_ADDR, VM_EXIT_MSR_STORE_COUNT},
     area_inside<VM_EXIT_MSR_STORE_COUNT, VM_EXIT_MSR_STORE_ADDR>,
     "address + count * 16 - 1 must be within the physical-address width"},
    {"control.exit.msr_load.address",
     "27.2.1.2",
     {VM_EXIT_MSR_LOAD_ADDR, VM_EXIT_MSR_LOAD_COUNT},
     area_aligned<VM_EXIT_MSR_LOAD_COUNT, VM_EXIT_MSR_LOAD_ADDR>,
     "bits 3:0 and those beyond the physical-address width must be 0 if the count is not 0"},
    {"control.exit.msr_load.end",
     "27.2.1.2",
     {VM_EXIT_MSR_LOAD_ADDR, VM_EXIT_MSR_LOAD_COUNT},
     area_inside<VM_EXIT_MSR_LOAD_COUNT, VM_EXIT_MSR_LOAD_ADDR>,
     "address + count * 16 - 1 must be within the physical-address width"},

    {"control.entry.reserved",
     "27.2.1.3",
     {VM_ENTRY_CONTROLS},
     within_limits<ControlGroup::Entry, VM_ENTRY_CONTROLS>,
     "reserved bits must be as IA32_VMX_TRUE_ENTRY_CTLS says",
     limits_text<ControlGroup::Entry>},
    {"control.injection.type",
     "27.2.1.3",
     {VM_ENTRY_INTR_INFO},
     injection_type,
     "bits 10:8 must not be 1, which is reserved"},
    {"control.injection.vector",
     "27.2.1.3",
     {VM_ENTRY_INTR_INFO},
     injection_vector,
     "the vector must be 2 for an NMI, at most 31 for a hardware exception, 0 for type 7"},
    {"control.injection.error_code",
     "27.2.1.3",
     {VM_ENTRY_INTR_INFO, GUEST_CR0, CPU_BASED_VM_EXEC_CONTROL, SECONDARY_VM_EXEC_CONTROL},
     injection_error_code,
     "bit 11 must be 1 exactly for hardware exceptions 8, 10 to 14 and 17, and under "
     "\"unrestricted "
     "guest\" with CR0.PE = 0 never"},
    {"control.injection.reserved",
     "27.2.1.3",
     {VM_ENTRY_INTR_INFO},
     injection_reserved,
     "bits 30:12 must be 0"},
    {"control.injection.error_value",
     "27.2.1.3",
     {VM_ENTRY_EXCEPTION_ERROR_CODE, VM_ENTRY_INTR_INFO},
     injection_error_value,
     "bits 31:16 must be 0 if bit 11 of the interruption information is 1"},
    {"control.injection.length",
     "27.2.1.3",
     {VM_ENTRY_INSTRUCTION_LEN, VM_ENTRY_INTR_INFO},
     injection_length,
     "the length must be 0 to 15 for software interrupts and exceptions"},
    {"control.entry.msr_load.address",
     "27.2.1.3",
     {VM_ENTRY_MSR_LOAD_ADDR, VM_ENTRY_MSR_LOAD_COUNT},
     area_aligned<VM_ENTRY_MSR_LOAD_COUNT, VM_ENTRY_MSR_LOAD_ADDR>,
     "bits 3:0 and those beyond the physical-address width must be 0 if the count is not 0"},
    {"control.entry.msr_load.end",
     "27.2.1.3",
     {VM_ENTRY_MSR_LOAD_ADDR, VM_ENTRY_MSR_LOAD_COUNT},
     area_inside<VM_ENTRY_MSR_LOAD_COUNT, VM_ENTRY_MSR_LOAD_ADDR>,
     "address + count * 16 - 1 must be within the physical-address width"},
};

}  // namespace

std::span<const CheckRow> check_tables::controls() { return kRows; }

}  // namespace softvt::vmx
