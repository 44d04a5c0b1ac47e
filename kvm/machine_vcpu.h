// The accelerators "vmx" and "svm" of a machine: its vcpus run under the layer.
#pragma once
#include <memory>
#include <string>

#include "kvm/host_processor.h"
#include "kvm/vcpu.h"
#include "kvm/vm.h"
#include "machine/backend.h"

namespace softvt::kvm {

class MachineBackend;

class MachineVcpu final : public softvt::Vcpu {
 public:
  MachineVcpu(MachineBackend& backend, const VcpuEnvironment& environment);
  MachineVcpu(const MachineVcpu&) = delete;
  MachineVcpu& operator=(const MachineVcpu&) = delete;

  bool init(std::string& error);

  VcpuExit run(i64 budget) override;
  void complete(u64 value) override { vcpu_.complete(value); }
  void power_on_reset() override;
  void set_boot_state(const BootState& boot) override;
  bool ready() const override;
  bool wakes_on_interrupt() const override { return vcpu_.wakes_on_interrupt(); }
  void request_stop() override { vcpu_.request_stop(); }
  void set_intr(bool level) override { apic_.set_lint(0, level); }
  u64 instructions() const override { return vcpu_.instructions(); }
  VcpuRegisters registers() const override;

  kvm::Vcpu& vcpu() { return vcpu_; }
  Vm& vm() { return vcpu_.vm(); }

 private:
  LocalApicEvents apic_events();

  MachineBackend& backend_;
  HostProcessor host_;
  bool booted_;
  LocalApic apic_;
  // Reading registers takes the guest out of the processor, which changes nothing that it sees.
  mutable kvm::Vcpu vcpu_;
};

class MachineBackend final : public Backend {
 public:
  MachineBackend(Vendor vendor, PhysMemory& memory, const ProcessorTables& tables);
  std::unique_ptr<softvt::Vcpu> create_vcpu(const VcpuEnvironment& environment,
                                            std::string& error) override;

  // The machine's RAM becomes the slots of the VM; done before the first instruction, since the
  // machine adds firmware after its vcpus.
  bool share_memory(std::string& error);
  HostMemory& host() { return host_; }
  Vm& vm() { return vm_; }
  const ProcessorTables& tables() const { return tables_; }

 private:
  PhysMemory& memory_;
  ProcessorTables tables_;
  HostMemory host_;
  Vm vm_;
  bool shared_ = false;
};

std::unique_ptr<Backend> open_machine_backend(Vendor vendor, PhysMemory& memory,
                                              const ProcessorTables& tables);

}  // namespace softvt::kvm
