// The dispatch of VM exits: one row for each reason that the layer lets happen, one table for each
// vendor. Handlers are shared; what differs between the vendors is behind VendorBackend.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "kvm/vcpu.h"

namespace softvt::kvm {

struct ExitHandlerRow {
  u64 code;  // basic exit reason (VMX) or EXITCODE (SVM)
  std::string_view name;
  Handled (*handler)(Vcpu&, const Exit&);
};

std::span<const ExitHandlerRow> exit_handlers(Vendor vendor);
const ExitHandlerRow* find_exit_handler(Vendor vendor, u64 code);
std::string_view exit_handler_table_name(Vendor vendor);

// VMCALL is 0F 01 C1, VMMCALL 0F 01 D9: the vendor to which these bytes belong.
constexpr u8 kHypercallLength = 3;
std::optional<Vendor> hypercall_vendor(const u8* bytes, unsigned count);
// The exit can come from a hypercall instruction of either vendor.
bool may_be_hypercall(Vendor vendor, const Exit& exit);

// handlers_hypercall.cpp
Handled handle_hypercall(Vcpu& vcpu, const Exit& exit);
Handled handle_exception(Vcpu& vcpu, const Exit& exit);
// handlers_cpuid.cpp
Handled handle_cpuid(Vcpu& vcpu, const Exit& exit);
// handlers_msr.cpp
Handled handle_msr_read(Vcpu& vcpu, const Exit& exit);
Handled handle_msr_write(Vcpu& vcpu, const Exit& exit);
Handled handle_msr(Vcpu& vcpu, const Exit& exit);  // SVM: one exit code for both
// handlers_io.cpp
Handled handle_io(Vcpu& vcpu, const Exit& exit);
// handlers_memory.cpp
Handled handle_memory_fault(Vcpu& vcpu, const Exit& exit);
// handlers_control.cpp
Handled handle_cr_access(Vcpu& vcpu, const Exit& exit);
Handled handle_xsetbv(Vcpu& vcpu, const Exit& exit);
// handlers_simple.cpp
Handled handle_halt(Vcpu& vcpu, const Exit& exit);
Handled handle_triple_fault(Vcpu& vcpu, const Exit& exit);
Handled handle_external_interrupt(Vcpu& vcpu, const Exit& exit);
Handled handle_window(Vcpu& vcpu, const Exit& exit);
Handled handle_nothing(Vcpu& vcpu, const Exit& exit);    // skipped: has no effect
Handled handle_undefined(Vcpu& vcpu, const Exit& exit);  // #UD: not offered to the guest
Handled handle_task_switch(Vcpu& vcpu, const Exit& exit);
Handled handle_invalid_state(Vcpu& vcpu, const Exit& exit);  // VM entry failed

}  // namespace softvt::kvm
