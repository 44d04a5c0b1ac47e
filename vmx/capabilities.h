// What this processor's VMX can do: the VMX capability MSRs and the numbers that the checks of VM
// entry compare with. SDM 3D appendix A "VMX Capability Reporting Facility".
#pragma once
#include <array>
#include <span>

#include "cpu/msr/msr_table.h"
#include "vmx/controls.h"
#include "vmx/vmcs_fields.h"

namespace softvt {
class Cpu;
}

namespace softvt::vmx {

struct ControlLimits {
  u32 allowed0 = 0;  // bits that must be 1
  u32 allowed1 = 0;  // bits that may be 1
  bool allows(u32 value) const { return (allowed0 & ~value) == 0 && (value & ~allowed1) == 0; }
};

struct Capabilities {
  std::array<ControlLimits, kControlGroups> limits;  // with the TRUE_ settings
  u64 cr0_fixed0 = 0, cr0_fixed1 = 0, cr4_fixed0 = 0, cr4_fixed1 = 0;
  u64 efer_defined = 0;
  u64 dr7_defined = 0xffffffff;
  u64 misc = 0, ept_vpid = 0, vmcs_enum = 0;
  unsigned phys_bits = 36;
  unsigned linear_bits = 48;  // the widest the processor has

  const ControlLimits& limit(ControlGroup g) const { return limits[static_cast<unsigned>(g)]; }
  bool supports(Control c) const {
    return c == Control::Always || (limit(group_of(c)).allowed1 & bit_of(c)) != 0;
  }
  bool has_field(const FieldRow& row) const { return supports(row.exists); }
  u64 physical_limit() const { return ~u64{0} << phys_bits; }  // bits beyond the width
  unsigned preemption_rate() const { return misc & 31; }
  unsigned cr3_targets() const { return (misc >> 16) & 0x1ff; }
  u32 msr_list_limit() const { return 512u * (((misc >> 25) & 7) + 1); }
};

Capabilities make_capabilities(const Cpu& cpu);

// Bits of IA32_VMX_MISC. SDM 3D A.6 "Miscellaneous Data".
namespace misc {
constexpr u64 kRate = 5;  // the preemption timer counts when this bit of the TSC changes
constexpr u64 StoresLma = 1 << 5, ActivityHlt = 1 << 6, ActivityShutdown = 1 << 7,
              ActivityWaitForSipi = 1 << 8, WritableReadOnly = 1 << 29,
              ZeroLengthInjection = 1 << 30;
constexpr unsigned kCr3TargetShift = 16;
}  // namespace misc

// Bits of IA32_VMX_EPT_VPID_CAP. SDM 3D A.10 "VPID and EPT Capabilities".
namespace ept_vpid {
constexpr u64 ExecuteOnly = 1 << 0, Walk4 = 1 << 6, Uncacheable = 1 << 8, WriteBack = 1 << 14,
              Page2M = 1 << 16, Page1G = 1 << 17, Invept = 1 << 20, AccessedDirty = 1 << 21,
              InveptSingle = 1 << 25, InveptAll = 1 << 26, Invvpid = u64{1} << 32,
              InvvpidAddress = u64{1} << 40, InvvpidSingle = u64{1} << 41,
              InvvpidAll = u64{1} << 42, InvvpidSingleKeepGlobals = u64{1} << 43;
}  // namespace ept_vpid

// IA32_VMX_BASIC to IA32_VMX_TRUE_ENTRY_CTLS. IA32_VMX_VMFUNC is not there: no VM function is.
std::span<const MsrRow> vmx_msr_rows();

}  // namespace softvt::vmx
