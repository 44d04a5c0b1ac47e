#include "cpu/core/events.h"

#include "cpu/apic/local_apic.h"
#include "cpu/phys_memory.h"
#include "cpu/seg/deliver.h"
#include "cpu/sys/debug_regs.h"

namespace softvt {
namespace {

bool extint_pending(const Cpu& cpu) {
  if (cpu.bus == nullptr || !cpu.bus->extint_pending()) return false;
  return cpu.apic == nullptr || cpu.apic->accepts_extint() || cpu.apic->extint_pending();
}

bool interrupt_pending(const Cpu& cpu) {
  return (cpu.apic != nullptr && cpu.apic->pending_vector() >= 0) || extint_pending(cpu);
}

// Takes the pending interrupt from its controller.
u8 acknowledge(Cpu& cpu) {
  if (cpu.apic != nullptr && cpu.apic->pending_vector() >= 0) return cpu.apic->acknowledge();
  if (cpu.apic != nullptr) cpu.apic->clear_extint();
  return cpu.bus->extint_acknowledge();
}

bool interrupts_enabled(const Cpu& cpu) { return (cpu.rflags_rest & rflags::IF) != 0; }

bool monitored_bytes_changed(const Cpu& cpu) {
  return cpu.mem->read_any(cpu.monitor_address & ~u64{7}, 8) != cpu.monitor_seen;
}

// SDM 3A 9.4.4: a processor that waits for a SIPI starts at vector * 4 KiB.
void start_from_sipi(Cpu& cpu) {
  cpu.sipi_pending = false;
  Segment cs = cpu.seg[1];
  cs.selector = static_cast<u16>(cpu.sipi_vector << 8);
  cs.base = u64{cpu.sipi_vector} << 12;
  cpu.set_segment(Seg::CS, cs);
  cpu.rip = 0;
  cpu.activity = Activity::Active;
}

void take_init(Cpu& cpu) {
  cpu.init_pending = false;
  if (cpu.guest_mode && cpu.virt->external(cpu, VirtExtension::External::Init, 0)) {
    cpu.sipi_pending = false;
    return;
  }
  cpu.init_reset();  // a SIPI that came behind the INIT stays
}

// Leaves a wait state if an event ends it. True: still waiting.
bool still_waiting(Cpu& cpu) {
  if (cpu.activity == Activity::WaitForSipi) {
    if (cpu.init_pending) take_init(cpu);
    if (!cpu.sipi_pending) return true;
    if (cpu.guest_mode) {
      cpu.sipi_pending = false;
      return !cpu.virt->external(cpu, VirtExtension::External::Sipi, cpu.sipi_vector);
    }
    start_from_sipi(cpu);
    return false;
  }
  if (!cpu.has_wake_event()) return true;
  if (cpu.activity != Activity::Shutdown) {
    cpu.woken_from = cpu.activity;
    cpu.activity = Activity::Active;
  }
  return cpu.activity == Activity::Shutdown && !cpu.init_pending;
}

Boundary after(bool alive) { return alive ? Boundary::Again : Boundary::Waiting; }

// True if something was done about the pending NMI. In guest mode the extension is asked first,
// since with virtual NMIs the blocking is only the guest's. SDM 3C 25.6.1.
bool take_nmi(Cpu& cpu, bool& alive) {
  if (cpu.guest_mode && cpu.virt->external(cpu, VirtExtension::External::Nmi, 2)) return true;
  if (cpu.nmi_blocked) return false;
  cpu.nmi_pending = false;
  alive = deliver_event(cpu, {.vector = 2, .type = EventType::Nmi});
  return true;
}

// True if something was done about the pending interrupt.
bool take_interrupt(Cpu& cpu, bool& alive) {
  if (!interrupt_pending(cpu)) {
    cpu.irq_hint = false;
    return false;
  }
  if (cpu.guest_mode) {
    const int vector = cpu.apic != nullptr ? cpu.apic->pending_vector() : -1;
    if (cpu.virt->external(cpu, VirtExtension::External::Interrupt,
                           vector < 0 ? 0 : static_cast<u8>(vector))) {
      return true;
    }
    if (!cpu.virt->interrupts_allowed(cpu)) return false;
  } else if (!interrupts_enabled(cpu)) {
    return false;
  }
  const u8 vector = acknowledge(cpu);
  alive = deliver_event(cpu, {.vector = vector, .type = EventType::ExternalInterrupt});
  return true;
}

}  // namespace

bool Cpu::has_wake_event() const {
  if (init_pending || (smi_pending && gif) || pending_dr6 != 0) return true;
  if (activity == Activity::WaitForSipi) return sipi_pending;
  if (nmi_pending && (!nmi_blocked || guest_mode)) return true;
  if (activity == Activity::Shutdown) return false;
  if (activity == Activity::Mwait && monitored_bytes_changed(*this)) return true;
  if (guest_mode && virt->wakes(*this)) return true;
  const bool masked_ends = activity == Activity::Mwait && mwait_breaks_masked;
  const bool open = guest_mode ? virt->interrupts_allowed(*this) : interrupts_enabled(*this);
  return interrupt_pending(*this) && (open || masked_ends);
}

bool deliver_event(Cpu& cpu, const Event& event) {
  cpu.budget -= 1;
  cpu.woken_from = Activity::Active;
  const Delivered d = deliver_with_escalation(cpu, event);
  return d != Delivered::Shutdown;
}

bool needs_single_step(const Cpu& cpu) {
  if ((cpu.rflags_rest & rflags::TF) != 0) return true;
  if (breakpoints_enabled(cpu) || cpu.step_guest) return true;
  return cpu.shadow != Shadow::None && (cpu.irq_hint || cpu.nmi_pending || cpu.guest_mode);
}

namespace {

Boundary look_at_events(Cpu& cpu) {
  if (cpu.activity != Activity::Active && still_waiting(cpu)) return Boundary::Waiting;
  // VMX operation blocks INIT; in the guest it causes an exit. SDM 3C 26.2, 24.8.
  if (cpu.init_pending && cpu.gif && (!cpu.vmx_root || cpu.guest_mode)) {
    take_init(cpu);
    return Boundary::Again;
  }
  // There is no SMM: an SMI has no handler to run. But SVM can intercept it, and GIF = 0 holds it.
  if (cpu.smi_pending && cpu.gif) {
    if (cpu.guest_mode && cpu.virt->external(cpu, VirtExtension::External::Smi, 0)) {
      return Boundary::Again;
    }
    cpu.smi_pending = false;
  }
  if (cpu.guest_mode && cpu.virt->monitor_trap(cpu)) return Boundary::Again;
  if (cpu.pending_dr6 != 0 && cpu.shadow != Shadow::MovSs) {
    const Event trap{.vector = 1, .dr6 = cpu.pending_dr6};
    cpu.pending_dr6 = 0;
    return after(deliver_event(cpu, trap));
  }
  if (cpu.guest_mode && cpu.virt->boundary(cpu)) return Boundary::Again;
  if (!cpu.gif || cpu.shadow != Shadow::None) return Boundary::Run;
  bool alive = true;
  if (cpu.nmi_pending && take_nmi(cpu, alive)) return after(alive);
  if (take_interrupt(cpu, alive)) return after(alive);
  return Boundary::Run;
}

}  // namespace

Boundary take_events(Cpu& cpu) {
  cpu.woken_from = Activity::Active;
  const Boundary result = look_at_events(cpu);
  cpu.woken_from = Activity::Active;
  return result;
}

}  // namespace softvt
