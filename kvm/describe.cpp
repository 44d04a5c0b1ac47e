#include "kvm/describe.h"

#include "svm/exit_codes.h"
#include "vmx/exit_reasons.h"

namespace softvt::kvm {
namespace {

namespace vmx_told {
using F = vmx::Field;
constexpr F kExit[] = {
    F::VM_EXIT_REASON,
    F::EXIT_QUALIFICATION,
    F::VM_EXIT_INSTRUCTION_LEN,
    F::VMX_INSTRUCTION_INFO,
    F::VM_EXIT_INTR_INFO,
    F::IDT_VECTORING_INFO_FIELD,
    F::GUEST_RIP,
    F::GUEST_RSP,
    F::GUEST_RFLAGS,
    F::GUEST_CS_SELECTOR,
    F::GUEST_CS_AR_BYTES,
    F::GUEST_SS_AR_BYTES,
    F::GUEST_CR0,
    F::GUEST_CR3,
    F::GUEST_CR4,
    F::GUEST_IA32_EFER,
    F::GUEST_INTERRUPTIBILITY_INFO,
    F::GUEST_ACTIVITY_STATE,
};
constexpr F kEntry[] = {
    F::GUEST_RIP, F::GUEST_RSP, F::GUEST_RFLAGS, F::VM_ENTRY_CONTROLS, F::VM_ENTRY_INTR_INFO,
};
}  // namespace vmx_told

namespace svm_told {
using F = svm::Field;
constexpr F kExit[] = {
    F::ExitCode, F::ExitInfo1, F::ExitInfo2,       F::ExitIntInfo,  F::NRip, F::Rip, F::Rsp,
    F::Rax,      F::Rflags,    F::CsSelector,      F::CsAttributes, F::Cpl,  F::Cr0, F::Cr3,
    F::Cr4,      F::Efer,      F::InterruptShadow,
};
constexpr F kEntry[] = {F::Rip, F::Rsp, F::Rax, F::Rflags, F::EventInj, F::VIrq};
}  // namespace svm_told

unsigned bits_of(vmx::Field field) {
  switch (vmx::width_of(field)) {
    case vmx::FieldWidth::Bits16:
      return 16;
    case vmx::FieldWidth::Bits32:
      return 32;
    default:
      return 64;
  }
}

trace::NamedValue named(const ReadVmcs& read, vmx::Field field) {
  return {std::string(vmx::kFieldRows[vmx::row_of(field)].name), read(field), bits_of(field)};
}

trace::NamedValue named(svm::Vmcb vmcb, svm::Field field) {
  const svm::FieldRow& row = svm::row(field);
  return {std::string(row.name), vmcb.read(field), row.bytes * 8u};
}

}  // namespace

trace::VmExit describe_vmx_exit(const ReadVmcs& read) {
  trace::VmExit told;
  const auto reason = static_cast<u32>(read(vmx::Field::VM_EXIT_REASON));
  const vmx::ExitReasonRow* row = vmx::find_exit_reason(reason);
  told.reason = row != nullptr ? std::string(row->name) : "unknown exit reason";
  told.number = reason & 0xffff;
  for (const vmx::Field field : vmx_told::kExit) told.fields.push_back(named(read, field));
  told.fields.front().meaning = told.reason;
  const auto kind = static_cast<vmx::ExitReason>(told.number);
  if (kind == vmx::ExitReason::EptViolation || kind == vmx::ExitReason::EptMisconfiguration) {
    told.fields.insert(told.fields.begin() + 2, named(read, vmx::Field::GUEST_PHYSICAL_ADDRESS));
  }
  return told;
}

trace::VmEntry describe_vmx_entry(const ReadVmcs& read, bool launched) {
  trace::VmEntry told;
  told.instruction = launched ? "VMRESUME" : "VMLAUNCH";
  for (const vmx::Field field : vmx_told::kEntry) told.fields.push_back(named(read, field));
  return told;
}

trace::VmExit describe_svm_exit(svm::Vmcb vmcb) {
  trace::VmExit told;
  told.number = vmcb.get<svm::Field::ExitCode>();
  told.reason = std::string(svm::exit_name(told.number));
  for (const svm::Field field : svm_told::kExit) told.fields.push_back(named(vmcb, field));
  told.fields.front().meaning = told.reason;
  return told;
}

trace::VmEntry describe_svm_entry(svm::Vmcb vmcb) {
  trace::VmEntry told;
  told.instruction = "VMRUN";
  for (const svm::Field field : svm_told::kEntry) told.fields.push_back(named(vmcb, field));
  return told;
}

}  // namespace softvt::kvm
