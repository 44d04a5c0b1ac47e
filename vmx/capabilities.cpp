#include "vmx/capabilities.h"

#include <algorithm>

#include "cpu/cpu.h"
#include "cpu/sys/control_regs.h"
#include "vmx/vmcs.h"

namespace softvt::vmx {
namespace {

// Members of the default1 class that may be 0 nevertheless, as the TRUE_ MSRs tell.
// SDM 3D A.3.2, A.4.1, A.5.
constexpr Control kDefault1MayBe0[] = {Control::Cr3LoadExiting, Control::Cr3StoreExiting,
                                       Control::SaveDebugControls, Control::LoadDebugControls};

u32 true_allowed0(ControlGroup group) {
  u32 bits = kDefault1[static_cast<unsigned>(group)];
  for (const Control c : kDefault1MayBe0)
    if (group_of(c) == group) bits &= ~bit_of(c);
  return bits;
}

std::array<ControlLimits, kControlGroups> make_limits(const Cpu& cpu) {
  std::array<ControlLimits, kControlGroups> limits;
  for (unsigned g = 0; g < kControlGroups; ++g) {
    limits[g].allowed0 = true_allowed0(static_cast<ControlGroup>(g));
    limits[g].allowed1 = kDefault1[g];
  }
  for (const ControlRow& row : control_rows()) {
    if (row.offer == Offer::Yes && cpu.has(row.feature))
      limits[static_cast<unsigned>(group_of(row.control))].allowed1 |= bit_of(row.control);
  }
  return limits;
}

u64 make_misc() {
  constexpr u64 kCr3Targets = 4;
  return misc::kRate | misc::StoresLma | misc::ActivityHlt | misc::ActivityShutdown |
         misc::ActivityWaitForSipi | kCr3Targets << misc::kCr3TargetShift |
         misc::ZeroLengthInjection;
}

u64 make_ept_vpid(const Cpu& cpu) {
  using namespace ept_vpid;
  const u64 large = cpu.has(Feature::Page1Gb) ? Page1G : 0;
  return ExecuteOnly | Walk4 | Uncacheable | WriteBack | Page2M | large | Invept | AccessedDirty |
         InveptSingle | InveptAll | Invvpid | InvvpidAddress | InvvpidSingle | InvvpidAll |
         InvvpidSingleKeepGlobals;
}

u64 highest_index(const Capabilities& caps) {
  u64 index = 0;
  for (const FieldRow& row : field_rows())
    if (caps.has_field(row)) index = std::max<u64>(index, index_of(row.field));
  return index;
}

}  // namespace

Capabilities make_capabilities(const Cpu& cpu) {
  Capabilities caps;
  caps.limits = make_limits(cpu);
  caps.cr0_fixed0 = cr0::PE | cr0::NE | cr0::PG;
  caps.cr0_fixed1 = 0xffffffff;
  caps.cr4_fixed0 = cr4::VMXE;
  caps.cr4_fixed1 = cr4_supported(cpu);
  caps.efer_defined = efer_supported(cpu) | efer::LMA;
  caps.misc = make_misc();
  caps.ept_vpid = make_ept_vpid(cpu);
  caps.phys_bits = cpu.phys_bits;
  caps.linear_bits = cpu.has(Feature::La57) ? 57 : 48;
  caps.vmcs_enum = highest_index(caps) << 1;
  return caps;
}

namespace {

// SDM 3D A.1 "Basic VMX Information".
u64 basic() {
  constexpr u64 kRegionSize = kPageSize, kWriteBack = 6;
  constexpr u64 kInsOutsReported = u64{1} << 54, kTrueMsrs = u64{1} << 55;
  return kRevisionId | kRegionSize << 32 | kWriteBack << 50 | kInsOutsReported | kTrueMsrs;
}

u64 limits_msr(const Capabilities& caps, ControlGroup group, bool with_true) {
  const ControlLimits& l = caps.limit(group);
  const u32 low = with_true ? l.allowed0 : l.allowed0 | kDefault1[static_cast<unsigned>(group)];
  return u64{l.allowed1} << 32 | low;
}

bool read_capability(Cpu& cpu, u32 index, u64& value) {
  const Capabilities caps = make_capabilities(cpu);
  switch (index) {
    case 0x480:
      value = basic();
      return true;
    case 0x481:
      value = limits_msr(caps, ControlGroup::Pin, false);
      return true;
    case 0x482:
      value = limits_msr(caps, ControlGroup::Primary, false);
      return true;
    case 0x483:
      value = limits_msr(caps, ControlGroup::Exit, false);
      return true;
    case 0x484:
      value = limits_msr(caps, ControlGroup::Entry, false);
      return true;
    case 0x485:
      value = caps.misc;
      return true;
    case 0x486:
      value = caps.cr0_fixed0;
      return true;
    case 0x487:
      value = caps.cr0_fixed1;
      return true;
    case 0x488:
      value = caps.cr4_fixed0;
      return true;
    case 0x489:
      value = caps.cr4_fixed1;
      return true;
    case 0x48a:
      value = caps.vmcs_enum;
      return true;
    case 0x48b:
      value = limits_msr(caps, ControlGroup::Secondary, true);
      return true;
    case 0x48c:
      value = caps.ept_vpid;
      return true;
    case 0x48d:
      value = limits_msr(caps, ControlGroup::Pin, true);
      return true;
    case 0x48e:
      value = limits_msr(caps, ControlGroup::Primary, true);
      return true;
    case 0x48f:
      value = limits_msr(caps, ControlGroup::Exit, true);
      return true;
    case 0x490:
      value = limits_msr(caps, ControlGroup::Entry, true);
      return true;
    default:
      return false;
  }
}

constexpr MsrRow row(u32 index, std::string_view name) {
  return {index, index, name, Feature::Vmx, read_capability, nullptr, MsrRow::Vendor::Any};
}
constexpr MsrRow kRows[] = {
    row(0x480, "IA32_VMX_BASIC"),
    row(0x481, "IA32_VMX_PINBASED_CTLS"),
    row(0x482, "IA32_VMX_PROCBASED_CTLS"),
    row(0x483, "IA32_VMX_EXIT_CTLS"),
    row(0x484, "IA32_VMX_ENTRY_CTLS"),
    row(0x485, "IA32_VMX_MISC"),
    row(0x486, "IA32_VMX_CR0_FIXED0"),
    row(0x487, "IA32_VMX_CR0_FIXED1"),
    row(0x488, "IA32_VMX_CR4_FIXED0"),
    row(0x489, "IA32_VMX_CR4_FIXED1"),
    row(0x48a, "IA32_VMX_VMCS_ENUM"),
    row(0x48b, "IA32_VMX_PROCBASED_CTLS2"),
    row(0x48c, "IA32_VMX_EPT_VPID_CAP"),
    row(0x48d, "IA32_VMX_TRUE_PINBASED_CTLS"),
    row(0x48e, "IA32_VMX_TRUE_PROCBASED_CTLS"),
    row(0x48f, "IA32_VMX_TRUE_EXIT_CTLS"),
    row(0x490, "IA32_VMX_TRUE_ENTRY_CTLS"),
};

}  // namespace

std::span<const MsrRow> vmx_msr_rows() { return kRows; }

}  // namespace softvt::vmx
