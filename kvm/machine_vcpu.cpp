#include "kvm/machine_vcpu.h"

#include "cpu/apic/apic_bus.h"
#include "cpu/cpuid/model.h"

namespace softvt::kvm {
namespace {

LocalApicOptions apic_options(const VcpuEnvironment& environment) {
  LocalApicOptions options;
  options.id = environment.index;
  options.bootstrap = environment.index == 0;
  options.x2apic = environment.model.features.has(Feature::X2apic);
  options.tsc_deadline = environment.model.features.has(Feature::TscDeadline);
  options.physical_address_bits = environment.model.phys_bits;
  return options;
}

std::unique_ptr<VendorBackend> make_backend(Vendor vendor, HostProcessor& host) {
  return vendor == Vendor::Vmx ? make_vmx_backend(host) : make_svm_backend(host);
}

Segment segment_of(const BootSegment& boot) {
  return {boot.selector, boot.limit, boot.base, boot.attributes};
}

ExitReason reason_of(RunExit reason, RunState state) {
  switch (reason) {
    case RunExit::Io:
      return ExitReason::Io;
    case RunExit::Mmio:
      return ExitReason::Mmio;
    case RunExit::Hypercall:
      return ExitReason::Hypercall;
    case RunExit::Hlt:
      return state == RunState::WaitForSipi ? ExitReason::WaitForSipi : ExitReason::Halt;
    case RunExit::Shutdown:
      return ExitReason::Shutdown;
    case RunExit::FailEntry:
      return ExitReason::FailEntry;
    case RunExit::Intr:
      return ExitReason::Budget;
    case RunExit::Unknown:
    case RunExit::InternalError:
      break;
  }
  return ExitReason::InternalError;
}

}  // namespace

// ---- backend -----------------------------------------------------------------------------------

MachineBackend::MachineBackend(Vendor vendor, PhysMemory& memory, const ProcessorTables& tables)
    : memory_(memory), tables_(tables), vm_(host_, {.vendor = vendor}) {
  std::string error;  // the number is free
  vm_.hypercalls().register_hypercall(kPalaciosDemo, "palacios_demo", palacios_demo,
                                      Convention::Palacios, error);
}

std::unique_ptr<softvt::Vcpu> MachineBackend::create_vcpu(const VcpuEnvironment& environment,
                                                          std::string& error) {
  auto vcpu = std::make_unique<MachineVcpu>(*this, environment);
  if (!vcpu->init(error)) return nullptr;
  return vcpu;
}

bool MachineBackend::share_memory(std::string& error) {
  if (shared_) return true;
  shared_ = true;
  for (const PhysMemory::Range& range : memory_.ram_ranges()) {
    if (!host_.lend(memory_, range.base, range.size)) {
      error = "guest memory cannot be lent to the layer";
      return false;
    }
    if (!vm_.add_slot({range.base, range.size, kGuestRamBase + range.base, false}, error)) {
      return false;
    }
  }
  return true;
}

std::unique_ptr<Backend> open_machine_backend(Vendor vendor, PhysMemory& memory,
                                              const ProcessorTables& tables) {
  return std::make_unique<MachineBackend>(vendor, memory, tables);
}

// ---- vcpu --------------------------------------------------------------------------------------

MachineVcpu::MachineVcpu(MachineBackend& backend, const VcpuEnvironment& environment)
    : backend_(backend),
      host_(backend.host(), backend.tables(), environment.model, environment.timeline,
            environment.index, environment.count),
      booted_(host_.boot()),
      apic_(
          apic_options(environment), environment.timeline, environment.interconnect,
          [this] { return vcpu_.guest_tsc(); }, apic_events()),
      vcpu_(backend.vm(), host_, make_backend(backend.vm().vendor(), host_), environment.index,
            {&apic_, &environment.bus}) {
  environment.interconnect.attach(apic_);
}

bool MachineVcpu::init(std::string& error) {
  if (booted_) return vcpu_.init(error);
  error = "no page is left for the host processor";
  return false;
}

LocalApicEvents MachineVcpu::apic_events() {
  LocalApicEvents events;
  events.nmi = [this] { vcpu_.post_nmi(); };
  events.init = [this] { vcpu_.post_init(); };
  events.sipi = [this](u8 vector) { vcpu_.post_sipi(vector); };
  return events;
}

bool MachineVcpu::ready() const {
  return vcpu_.state() == RunState::Runnable || vcpu_.has_wake_event();
}

VcpuExit MachineVcpu::run(i64 budget) {
  VcpuExit exit;
  if (!backend_.share_memory(exit.detail)) {
    exit.reason = ExitReason::InternalError;
    return exit;
  }
  const Run& run = vcpu_.run(budget);
  exit.reason = reason_of(run.exit_reason, vcpu_.state());
  exit.io = {run.io.port, run.io.size, run.io.out, run.io.data};
  exit.mmio = {run.mmio.phys_addr, run.mmio.len, run.mmio.is_write, run.mmio.data};
  exit.hypercall = {run.hypercall.nr, run.hypercall.args};
  if (exit.reason == ExitReason::FailEntry || exit.reason == ExitReason::InternalError) {
    exit.detail = run.detail;
  }
  return exit;
}

void MachineVcpu::power_on_reset() {
  vcpu_.reset();
  apic_.reset();
}

void MachineVcpu::set_boot_state(const BootState& boot) {
  SystemRegisters s;
  const BootSegment* const segments[] = {&boot.es, &boot.cs, &boot.ss,   &boot.ds,
                                         &boot.fs, &boot.gs, &boot.ldtr, &boot.tr};
  for (unsigned i = 0; i < 8; ++i) s.segments[i] = segment_of(*segments[i]);
  s.gdt = {boot.gdt.base, boot.gdt.limit};
  s.idt = {boot.idt.base, boot.idt.limit};
  s.cr0 = boot.cr0;
  s.cr3 = boot.cr3;
  s.cr4 = boot.cr4;
  s.efer = boot.efer;
  vcpu_.set_system_registers(s);
  Registers r;
  r.gpr = {boot.rax, boot.rcx, boot.rdx, boot.rbx, boot.rsp, boot.rbp, boot.rsi, boot.rdi};
  r.rip = boot.rip;
  r.rflags = boot.rflags;
  vcpu_.set_registers(r);
  apic_.program_virtual_wire();
}

VcpuRegisters MachineVcpu::registers() const {
  vcpu_.pause();
  const Registers r = vcpu_.registers();
  const SystemRegisters s = vcpu_.system_registers();
  VcpuRegisters out;
  out.general = r.gpr;
  out.rip = r.rip;
  out.rflags = r.rflags;
  out.cr0 = s.cr0;
  out.cr2 = s.cr2;
  out.cr3 = s.cr3;
  out.cr4 = s.cr4;
  out.efer = s.efer;
  out.cs = s.segments[static_cast<unsigned>(Seg::CS)].selector;
  out.ss = s.segments[static_cast<unsigned>(Seg::SS)].selector;
  return out;
}

}  // namespace softvt::kvm
