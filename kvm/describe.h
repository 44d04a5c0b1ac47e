// VM exits and entries as stations: which fields are told, by the names of the manual. One place
// for the layer and for observers of a guest's own hypervisor.
#pragma once
#include <functional>

#include "svm/vmcb_fields.h"
#include "trace/path_events.h"
#include "vmx/vmcs_fields.h"

namespace softvt::kvm {

using ReadVmcs = std::function<u64(vmx::Field)>;

trace::VmExit describe_vmx_exit(const ReadVmcs& read);
trace::VmEntry describe_vmx_entry(const ReadVmcs& read, bool launched);
trace::VmExit describe_svm_exit(svm::Vmcb vmcb);
trace::VmEntry describe_svm_entry(svm::Vmcb vmcb);

}  // namespace softvt::kvm
