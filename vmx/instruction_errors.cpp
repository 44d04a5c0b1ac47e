#include "vmx/instruction_errors.h"

namespace softvt::vmx {
namespace {

using enum InsnError;

constexpr InsnErrorRow kRows[] = {
    {VmcallInRoot, "VMCALL executed in VMX root operation"},
    {VmclearInvalidAddress, "VMCLEAR with invalid physical address"},
    {VmclearVmxonPointer, "VMCLEAR with VMXON pointer"},
    {VmlaunchNotClear, "VMLAUNCH with non-clear VMCS"},
    {VmresumeNotLaunched, "VMRESUME with non-launched VMCS"},
    {VmresumeAfterVmxoff, "VMRESUME after VMXOFF (VMXOFF and VMXON between VMLAUNCH and VMRESUME)"},
    {EntryInvalidControls, "VM entry with invalid control field(s)"},
    {EntryInvalidHostState, "VM entry with invalid host-state field(s)"},
    {VmptrldInvalidAddress, "VMPTRLD with invalid physical address"},
    {VmptrldVmxonPointer, "VMPTRLD with VMXON pointer"},
    {VmptrldWrongRevision, "VMPTRLD with incorrect VMCS revision identifier"},
    {UnsupportedField, "VMREAD/VMWRITE from/to unsupported VMCS component"},
    {ReadOnlyField, "VMWRITE to read-only VMCS component"},
    {VmxonInRoot, "VMXON executed in VMX root operation"},
    {EntryInvalidExecutivePointer, "VM entry with invalid executive-VMCS pointer"},
    {EntryExecutiveNotLaunched, "VM entry with non-launched executive VMCS"},
    {EntryExecutiveNotVmxon,
     "VM entry with executive-VMCS pointer not VMXON pointer (when attempting to deactivate the "
     "dual-monitor treatment of SMIs and SMM)"},
    {VmcallNotClear,
     "VMCALL with non-clear VMCS (when attempting to activate the dual-monitor treatment of SMIs "
     "and SMM)"},
    {VmcallInvalidExitControls, "VMCALL with invalid VM-exit control fields"},
    {VmcallWrongMsegRevision,
     "VMCALL with incorrect MSEG revision identifier (when attempting to activate the dual-monitor "
     "treatment of SMIs and SMM)"},
    {VmxoffDualMonitor, "VMXOFF under dual-monitor treatment of SMIs and SMM"},
    {VmcallInvalidSmmFeatures,
     "VMCALL with invalid SMM-monitor features (when attempting to activate the dual-monitor "
     "treatment of SMIs and SMM)"},
    {EntryExecutiveInvalidControls,
     "VM entry with invalid VM-execution control fields in executive VMCS (when attempting to "
     "return from SMM)"},
    {EntryBlockedByMovSs, "VM entry with events blocked by MOV SS"},
    {InvalidInvalidationOperand, "Invalid operand to INVEPT/INVVPID"},
};

}  // namespace

std::span<const InsnErrorRow> insn_error_rows() { return kRows; }

std::string_view insn_error_text(u32 number) {
  for (const InsnErrorRow& row : kRows)
    if (static_cast<u32>(row.number) == number) return row.text;
  return "unknown error";
}

}  // namespace softvt::vmx
