// Exits that take a line or two.
#include "kvm/exit_handlers.h"
#include "kvm/vm.h"

namespace softvt::kvm {
namespace {

// Where the processor does not tell the length.
u8 length_of(const Exit& exit, u8 otherwise) {
  return exit.insn_length != 0 ? exit.insn_length : otherwise;
}

}  // namespace

Handled handle_halt(Vcpu& vcpu, const Exit& exit) {
  vcpu.skip_instruction(length_of(exit, 1));
  return vcpu.halt();
}

Handled handle_triple_fault(Vcpu& vcpu, const Exit&) { return vcpu.shutdown(); }

// The host's own interrupt: somebody wants this vcpu out of the guest.
Handled handle_external_interrupt(Vcpu& vcpu, const Exit&) {
  vcpu.host().acknowledge_kick();
  return Handled::Resume;
}

// The next VM entry injects what waits.
Handled handle_window(Vcpu&, const Exit&) { return Handled::Resume; }

Handled handle_nothing(Vcpu& vcpu, const Exit& exit) {
  vcpu.skip_instruction(length_of(exit, 2));
  return Handled::Resume;
}

Handled handle_undefined(Vcpu& vcpu, const Exit&) {
  vcpu.inject(Vector::UD);
  return Handled::Resume;
}

Handled handle_task_switch(Vcpu& vcpu, const Exit&) {
  return vcpu.internal_error("task switches are not emulated by the layer");
}

Handled handle_invalid_state(Vcpu& vcpu, const Exit& exit) {
  const std::string& report = vcpu.backend().failure();
  return vcpu.fail_entry(exit.code, report.empty() ? "VM entry failed" : report);
}

}  // namespace softvt::kvm
