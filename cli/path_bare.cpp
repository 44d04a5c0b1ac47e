#include "cli/path_bare.h"

#include "kvm/describe.h"
#include "machine/bare_vcpu.h"
#include "svm/extension.h"
#include "vmx/extension.h"

namespace softvt::cli {
namespace {

using trace::PathSink;

unsigned mode_bits(u64 efer_value, bool code_long, bool code_32) {
  if ((efer_value & efer::LMA) != 0 && code_long) return 64;
  return code_32 ? 32 : 16;
}

void tell(PathSink& sink, const Cpu& cpu, decltype(trace::PathEvent::station) station) {
  sink.station({cpu.nanos(), cpu.index, std::move(station)});
}

// Where the guest's hypervisor goes on.
void tell_host(PathSink& sink, const Cpu& cpu) {
  tell(sink, cpu, trace::HostEntry{cpu.rip, cpu.r[RSP]});
}

// ---- VMX ---------------------------------------------------------------------------------------

void tell_vmcall(PathSink& sink, const Cpu& cpu, vmx::Vmcs vmcs) {
  using vmx::Field;
  trace::GuestInstruction told;
  for (unsigned i = 0; i < 16; ++i) told.gpr[i] = cpu.r[i];
  told.gpr[RSP] = vmcs.get(Field::GUEST_RSP);
  told.rip = vmcs.get(Field::GUEST_RIP);
  told.rflags = vmcs.get(Field::GUEST_RFLAGS);
  told.cpl = vmcs.get32(Field::GUEST_SS_AR_BYTES) >> seg_rights::DplShift & 3;
  const u32 code = vmcs.get32(Field::GUEST_CS_AR_BYTES);
  const bool long_mode = vmcs.test(vmx::Control::Ia32eModeGuest);
  told.mode_bits = mode_bits(long_mode ? efer::LMA : 0, (code & seg_rights::L) != 0,
                             (code & seg_rights::DB) != 0);
  told.bytes = {0x0f, 0x01, 0xc1};
  told.disassembly = "vmcall";
  tell(sink, cpu, std::move(told));
}

void observe_vmx(vmx::VmxExtension& extension, PathSink& sink) {
  extension.on_exit = [&sink](Cpu& cpu) {
    const vmx::Vmcs vmcs = cpu.vmx->current();
    const auto reason =
        static_cast<vmx::ExitReason>(vmcs.get32(vmx::Field::VM_EXIT_REASON) & 0xffff);
    if (reason == vmx::ExitReason::Vmcall) tell_vmcall(sink, cpu, vmcs);
    tell(sink, cpu, kvm::describe_vmx_exit([vmcs](vmx::Field f) { return vmcs.get(f); }));
    tell_host(sink, cpu);
  };
  extension.on_entry = [&sink](Cpu& cpu, bool launch) {
    const vmx::Vmcs vmcs = cpu.vmx->current();
    tell(sink, cpu, kvm::describe_vmx_entry([vmcs](vmx::Field f) { return vmcs.get(f); }, !launch));
  };
}

// ---- SVM ---------------------------------------------------------------------------------------

void tell_vmmcall(PathSink& sink, const Cpu& cpu, svm::Vmcb vmcb) {
  using svm::Field;
  trace::GuestInstruction told;
  for (unsigned i = 0; i < 16; ++i) told.gpr[i] = cpu.r[i];
  told.gpr[RAX] = vmcb.get<Field::Rax>();
  told.gpr[RSP] = vmcb.get<Field::Rsp>();
  told.rip = vmcb.get<Field::Rip>();
  told.rflags = vmcb.get<Field::Rflags>();
  told.cpl = vmcb.get<Field::Cpl>();
  constexpr u16 kLong = 1 << 9, kDefault32 = 1 << 10;  // attribute bits of the VMCB
  const u16 code = vmcb.get<Field::CsAttributes>();
  told.mode_bits =
      mode_bits(vmcb.get<Field::Efer>(), (code & kLong) != 0, (code & kDefault32) != 0);
  told.bytes = {0x0f, 0x01, 0xd9};
  told.disassembly = "vmmcall";
  tell(sink, cpu, std::move(told));
}

void observe_svm(svm::SvmExtension& extension, PathSink& sink) {
  extension.on_exit = [&sink](Cpu& cpu, const svm::ExitReport& report, u64) {
    const svm::Vmcb vmcb = cpu.svm->vmcb();
    if (report.code == svm::ExitCode::Vmmcall) tell_vmmcall(sink, cpu, vmcb);
    tell(sink, cpu, kvm::describe_svm_exit(vmcb));
    tell_host(sink, cpu);
  };
  extension.on_entry = [&sink](Cpu& cpu, u64) {
    tell(sink, cpu, kvm::describe_svm_entry(cpu.svm->vmcb()));
  };
}

}  // namespace

void observe_bare(Machine& machine, PathSink& sink) {
  for (size_t i = 0; i < machine.vcpu_count(); ++i) {
    auto* vcpu = dynamic_cast<BareVcpu*>(&machine.vcpu(i));
    if (vcpu == nullptr) continue;
    if (vcpu->cpu().vmx != nullptr) observe_vmx(*vcpu->cpu().vmx, sink);
    if (vcpu->cpu().svm != nullptr) observe_svm(*vcpu->cpu().svm, sink);
  }
}

}  // namespace softvt::cli
