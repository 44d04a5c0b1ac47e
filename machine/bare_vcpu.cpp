#include "machine/bare_vcpu.h"

#include "cpu/apic/apic_bus.h"
#include "cpu/apic/apic_timer.h"
#include "cpu/cpuid/model.h"
#include "cpu/msr/reset.h"
#include "machine/processor_parts.h"

namespace softvt {
namespace {

ExitReason reason_of(RunStop stop) {
  switch (stop) {
    case RunStop::Halted:
      return ExitReason::Halt;
    case RunStop::Shutdown:
      return ExitReason::Shutdown;
    case RunStop::WaitForSipi:
      return ExitReason::WaitForSipi;
    case RunStop::Budget:
    case RunStop::Request:
      break;
  }
  return ExitReason::Budget;
}

Segment segment_of(const BootSegment& boot) {
  Segment segment;
  segment.selector = boot.selector;
  segment.base = boot.base;
  segment.limit = boot.limit;
  segment.rights = boot.attributes;
  return segment;
}

}  // namespace

BareVcpu::BareVcpu(const VcpuEnvironment& environment, CodeCache& code)
    : jumps_(kJumpEntries),
      apic_(
          apic_options(environment), environment.timeline, environment.interconnect,
          [this] { return physical_tsc(); }, apic_events()) {
  const ProcessorParts& parts = processor_parts();
  cpu_.index = environment.index;
  cpu_.count = environment.count;
  cpu_.mem = &environment.memory;
  cpu_.bus = &environment.bus;
  cpu_.timeline = &environment.timeline;
  cpu_.apic = &apic_;
  cpu_.isa = &parts.instructions;
  cpu_.msrs = &parts.msrs;
  cpu_.code = &code;
  cpu_.tlbs = &tlbs_;
  cpu_.jumps = jumps_.data();
  apply_model(cpu_, environment.model);
  code.attach({&tlbs_, &cpu_});
  environment.interconnect.attach(apic_);
  cpu_.update_mode();
  power_on_reset();
}

LocalApicOptions BareVcpu::apic_options(const VcpuEnvironment& environment) const {
  LocalApicOptions options;
  options.id = environment.index;
  options.bootstrap = environment.index == 0;
  options.x2apic = environment.model.features.has(Feature::X2apic);
  options.tsc_deadline = environment.model.features.has(Feature::TscDeadline);
  options.physical_address_bits = environment.model.phys_bits;
  return options;
}

LocalApicEvents BareVcpu::apic_events() {
  LocalApicEvents events;
  events.nmi = [this] {
    cpu_.nmi_pending = true;
    cpu_.request_exit();
  };
  events.init = [this] {
    cpu_.init_pending = true;
    cpu_.sipi_pending = false;
    cpu_.request_exit();
  };
  events.sipi = [this](u8 vector) {
    // A SIPI is lost unless the processor waits for one. SDM 3A 9.4.4.
    if (cpu_.activity != Activity::WaitForSipi && !cpu_.init_pending) return;
    if (cpu_.sipi_pending) return;
    cpu_.sipi_pending = true;
    cpu_.sipi_vector = vector;
    cpu_.request_exit();
  };
  events.smi = [this] {
    cpu_.smi_pending = true;
    cpu_.request_exit();
  };
  events.interrupt_changed = [this] { interrupt_changed(); };
  return events;
}

// Without the offset of a guest, and up to date also while this vcpu does not run.
u64 BareVcpu::physical_tsc() const {
  const u64 now = running_ ? cpu_.nanos() : cpu_.timeline->now();
  return now * kTscTicksPerNano + static_cast<u64>(cpu_.tsc_offset);
}

void BareVcpu::interrupt_changed() {
  cpu_.irq_hint = true;
  cpu_.request_exit();
}

// The pin goes through the local vector table; as INTR of the 8259 pair it is asked for by level.
void BareVcpu::set_intr(bool level) {
  apic_.set_lint(0, level);
  if (level) interrupt_changed();
}

VcpuExit BareVcpu::run(i64 budget) {
  VcpuExit exit;
  // The processor stops as soon as its budget is negative.
  cpu_.stop_requested = false;
  running_ = true;
  exit.reason = reason_of(cpu_.run(budget > 0 ? budget - 1 : 0));
  running_ = false;
  return exit;
}

bool BareVcpu::ready() const { return cpu_.activity == Activity::Active || cpu_.has_wake_event(); }

bool BareVcpu::wakes_on_interrupt() const {
  const bool waits = cpu_.activity == Activity::Halt || cpu_.activity == Activity::Mwait;
  const bool open = (cpu_.rflags_rest & rflags::IF) != 0 || cpu_.guest_mode;
  return waits && (open || cpu_.mwait_breaks_masked);
}

void BareVcpu::power_on_reset() {
  constexpr u64 kRandomSeed = 0x9e3779b97f4a7c15;
  cpu_.power_on_reset();
  reset_msrs(cpu_);
  reset_extensions();
  cpu_.random_state = kRandomSeed * (cpu_.index + 1);
  cpu_.irq_hint = true;
}

// Both begin anew: no current VMCS, no guest.
void BareVcpu::reset_extensions() {
  cpu_.virt = nullptr;
  cpu_.vmx = cpu_.has(Feature::Vmx) ? &vmx_.emplace(cpu_) : nullptr;
  cpu_.svm = cpu_.has(Feature::Svm) ? &svm_.emplace() : nullptr;
}

void BareVcpu::set_boot_segments(const BootState& boot) {
  cpu_.set_segment(Seg::ES, segment_of(boot.es));
  cpu_.set_segment(Seg::CS, segment_of(boot.cs));
  cpu_.set_segment(Seg::SS, segment_of(boot.ss));
  cpu_.set_segment(Seg::DS, segment_of(boot.ds));
  cpu_.set_segment(Seg::FS, segment_of(boot.fs));
  cpu_.set_segment(Seg::GS, segment_of(boot.gs));
  cpu_.set_segment(Seg::LDTR, segment_of(boot.ldtr));
  cpu_.set_segment(Seg::TR, segment_of(boot.tr));
}

void BareVcpu::set_boot_state(const BootState& boot) {
  cpu_.cr0 = boot.cr0;
  cpu_.cr3 = boot.cr3;
  cpu_.cr4 = boot.cr4;
  cpu_.efer = boot.efer;
  set_boot_segments(boot);
  cpu_.gdtr = {boot.gdt.base, boot.gdt.limit};
  cpu_.idtr = {boot.idt.base, boot.idt.limit};
  cpu_.r[RAX] = boot.rax;
  cpu_.r[RBX] = boot.rbx;
  cpu_.r[RCX] = boot.rcx;
  cpu_.r[RDX] = boot.rdx;
  cpu_.r[RSI] = boot.rsi;
  cpu_.r[RDI] = boot.rdi;
  cpu_.r[RSP] = boot.rsp;
  cpu_.r[RBP] = boot.rbp;
  cpu_.rip = boot.rip;
  cpu_.set_flags(boot.rflags);
  cpu_.update_mode();
  cpu_.tlb_flush_everything();
  apic_.program_virtual_wire();
}

VcpuRegisters BareVcpu::registers() const {
  VcpuRegisters registers;
  for (size_t i = 0; i < registers.general.size(); ++i) registers.general[i] = cpu_.r[i];
  registers.rip = cpu_.rip;
  registers.rflags = cpu_.flags();
  registers.cr0 = cpu_.cr0;
  registers.cr2 = cpu_.cr2;
  registers.cr3 = cpu_.cr3;
  registers.cr4 = cpu_.cr4;
  registers.efer = cpu_.efer;
  registers.cs = cpu_.seg[static_cast<size_t>(Seg::CS)].selector;
  registers.ss = cpu_.seg[static_cast<size_t>(Seg::SS)].selector;
  return registers;
}

std::unique_ptr<Vcpu> BareBackend::create_vcpu(const VcpuEnvironment& environment, std::string&) {
  return std::make_unique<BareVcpu>(environment, code_);
}

}  // namespace softvt
