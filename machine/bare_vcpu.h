// The accelerator "bare": the guest owns the emulated processor, VMX and SVM instructions included.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "cpu/apic/local_apic.h"
#include "cpu/core/code_cache.h"
#include "cpu/core/tlb.h"
#include "cpu/cpu.h"
#include "machine/backend.h"
#include "svm/extension.h"
#include "vmx/extension.h"

namespace softvt {

class BareVcpu : public Vcpu {
 public:
  BareVcpu(const VcpuEnvironment& environment, CodeCache& code);
  BareVcpu(const BareVcpu&) = delete;
  BareVcpu& operator=(const BareVcpu&) = delete;

  VcpuExit run(i64 budget) override;
  void complete(u64) override {}  // the processor reaches the buses itself
  void power_on_reset() override;
  void set_boot_state(const BootState& boot) override;
  bool ready() const override;
  bool wakes_on_interrupt() const override;
  void request_stop() override { cpu_.request_stop(); }
  void set_intr(bool level) override;
  u64 instructions() const override { return cpu_.instructions(); }
  VcpuRegisters registers() const override;

  Cpu& cpu() { return cpu_; }
  LocalApic& apic() { return apic_; }

 private:
  LocalApicOptions apic_options(const VcpuEnvironment& environment) const;
  LocalApicEvents apic_events();
  void interrupt_changed();
  u64 physical_tsc() const;
  void reset_extensions();
  void set_boot_segments(const BootState& boot);

  Cpu cpu_;
  TlbPool tlbs_;
  std::vector<JumpEntry> jumps_;
  std::optional<vmx::VmxExtension> vmx_;
  std::optional<svm::SvmExtension> svm_;
  bool running_ = false;
  LocalApic apic_;
};

class BareBackend : public Backend {
 public:
  explicit BareBackend(PhysMemory& memory) : code_(memory) {}
  std::unique_ptr<Vcpu> create_vcpu(const VcpuEnvironment& environment,
                                    std::string& error) override;

 private:
  CodeCache code_;
};

}  // namespace softvt
