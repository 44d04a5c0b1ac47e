// RDMSR and WRMSR that are not passed through.
#include "kvm/exit_handlers.h"
#include "kvm/guest_msrs.h"

namespace softvt::kvm {

Handled handle_msr_read(Vcpu& vcpu, const Exit&) {
  const auto index = static_cast<u32>(vcpu.gpr(RCX));
  const GuestMsrRow* row = find_guest_msr(index);
  u64 value = 0;
  if (row == nullptr || !row->read(vcpu, index, value)) {
    vcpu.inject(Vector::GP, 0);
    return Handled::Resume;
  }
  vcpu.set_gpr(RAX, value & 0xffffffff);
  vcpu.set_gpr(RDX, value >> 32);
  vcpu.skip_instruction(2);
  return Handled::Resume;
}

Handled handle_msr_write(Vcpu& vcpu, const Exit&) {
  const auto index = static_cast<u32>(vcpu.gpr(RCX));
  const u64 value = (vcpu.gpr(RAX) & 0xffffffff) | vcpu.gpr(RDX) << 32;
  const GuestMsrRow* row = find_guest_msr(index);
  if (row == nullptr || !row->write(vcpu, index, value)) {
    vcpu.inject(Vector::GP, 0);
    return Handled::Resume;
  }
  vcpu.skip_instruction(2);
  return Handled::Resume;
}

Handled handle_msr(Vcpu& vcpu, const Exit& exit) {
  return exit.msr_write ? handle_msr_write(vcpu, exit) : handle_msr_read(vcpu, exit);
}

}  // namespace softvt::kvm
