// The callbacks of the processor core, instruction intercepts aside (intercepts.cpp).
#include "vmx/extension.h"

#include "cpu/apic/local_apic.h"
#include "cpu/seg/deliver.h"
#include "vmx/ept.h"

namespace softvt::vmx {
namespace {

constexpr u32 kValid = u32{1} << 31;

// Faults leave RF set in what delivery would have pushed, so that an instruction breakpoint does
// not hit twice. SDM 3C 28.3.3 "Saving RIP, RSP, RFLAGS, and SSP".
bool sets_resume_flag(const Event& e) {
  if (e.type != EventType::HardwareException) return false;
  switch (static_cast<Vector>(e.vector)) {
    case Vector::DB:
    case Vector::BP:
    case Vector::OF:
    case Vector::DF:
    case Vector::MC:
      return false;
    default:
      return true;
  }
}

bool software(EventType t) {
  return t == EventType::SoftwareInterrupt || t == EventType::SoftwareException ||
         t == EventType::PrivilegedSoftwareException;
}

u32 software_length(const Cpu& cpu, const Event* event) {
  return event != nullptr && software(event->type) ? static_cast<u32>(cpu.next_rip - cpu.rip) & 15
                                                   : 0;
}

bool extint_pending(const Cpu& cpu) {
  if (cpu.bus == nullptr || !cpu.bus->extint_pending()) return false;
  return cpu.apic == nullptr || cpu.apic->accepts_extint() || cpu.apic->extint_pending();
}

// Takes the pending interrupt from its controller ("acknowledge interrupt on exit").
u8 acknowledge(Cpu& cpu) {
  if (cpu.apic != nullptr && cpu.apic->pending_vector() >= 0) return cpu.apic->acknowledge();
  if (!extint_pending(cpu)) return 0;
  if (cpu.apic != nullptr) cpu.apic->clear_extint();
  return cpu.bus->extint_acknowledge();
}

}  // namespace

VmxExtension::VmxExtension(const Cpu& cpu) : caps_(make_capabilities(cpu)) {}

// SDM 3C 25.6.3 "Exception Bitmap", 26.2 "Other Causes of VM Exits".
bool VmxExtension::exception(Cpu& cpu, Event& event, const Event* during) {
  if (event.type == EventType::SoftwareInterrupt) return false;
  bool exits = vmcs_.get(Field::EXCEPTION_BITMAP) >> (event.vector & 31) & 1;
  const bool page_fault = event.vector == static_cast<u8>(Vector::PF);
  if (page_fault) {
    const bool match = (event.error & vmcs_.get32(Field::PAGE_FAULT_ERROR_CODE_MASK)) ==
                       vmcs_.get32(Field::PAGE_FAULT_ERROR_CODE_MATCH);
    if (!match) exits = !exits;
  }
  if (!exits) return false;
  ExitInfo info;
  info.reason = ExitReason::ExceptionOrNmi;
  info.intr_info = interruption_info(event);
  info.intr_error = event.error;
  info.during = during;
  info.insn_length = software_length(cpu, during != nullptr ? during : &event);
  if (page_fault) info.qualification = event.cr2;
  if (event.vector == static_cast<u8>(Vector::DB)) {
    constexpr u64 kReported = 0xf | 1 << 13 | 1 << 14;
    info.qualification = event.dr6 & kReported;
  }
  if (sets_resume_flag(event)) cpu.rflags_rest |= rflags::RF;
  exit(cpu, info);
  return true;
}

bool VmxExtension::triple_fault(Cpu& cpu) {
  exit(cpu, {.reason = ExitReason::TripleFault});
  return true;
}

// Host TSC: what the preemption timer and PAUSE-loop exiting count by.
u64 VmxExtension::host_tsc(const Cpu& cpu) const {
  return cpu.guest_mode ? cpu.tsc() - cpu.guest_tsc_offset : cpu.tsc();
}

u32 VmxExtension::timer_left(const Cpu& cpu) const {
  const unsigned rate = caps_.preemption_rate();
  const u64 now = host_tsc(cpu) >> rate, end = timer_deadline_ >> rate;
  return end > now ? static_cast<u32>(end - now) : 0;
}

bool VmxExtension::interrupt_window_open(const Cpu& cpu) const {
  return (cpu.rflags_rest & rflags::IF) && cpu.shadow == Shadow::None;
}
bool VmxExtension::nmi_window_open(const Cpu& cpu) const {
  return !cpu.nmi_blocked && cpu.shadow == Shadow::None;
}

// SDM 3C 26.5.2 "Monitor Trap Flag": behind the first instruction or the first event that is
// delivered, with priority over the debug traps of that instruction.
bool VmxExtension::monitor_trap(Cpu& cpu) {
  if (!on(Control::MonitorTrapFlag) && !mtf_pending_) return false;
  if (mtf_unset_) {
    mtf_unset_ = false;
    mtf_from_ = cpu.instructions();
  }
  const bool moved = cpu.instructions() != mtf_from_ || cpu.rip != mtf_rip_;
  if (!mtf_pending_ && !moved) {
    cpu.request_exit();
    return false;
  }
  exit(cpu, {.reason = ExitReason::MonitorTrapFlag});
  return true;
}

// SDM 3A 6.9, table 6-2; 3C 26.2 and 26.5 for the order.
bool VmxExtension::boundary(Cpu& cpu) {
  if (on(Control::PreemptionTimer) && timer_left(cpu) == 0) {
    exit(cpu, {.reason = ExitReason::PreemptionTimer});
    return true;
  }
  if (on(Control::NmiWindowExiting)) {
    if (nmi_window_open(cpu)) {
      exit(cpu, {.reason = ExitReason::NmiWindow});
      return true;
    }
    cpu.request_exit();
  }
  if (on(Control::InterruptWindowExiting)) {
    if (interrupt_window_open(cpu) && !cpu.nmi_pending) {
      exit(cpu, {.reason = ExitReason::InterruptWindow});
      return true;
    }
    cpu.request_exit();
  }
  return false;
}

bool VmxExtension::external(Cpu& cpu, External what, u8 vector) {
  ExitInfo info;
  switch (what) {
    case External::Interrupt:
      if (!on(Control::ExternalInterruptExiting)) return false;
      info.reason = ExitReason::ExternalInterrupt;
      if (on(Control::AcknowledgeInterrupt)) info.intr_info = kValid | acknowledge(cpu);
      break;
    case External::Nmi:
      // With "virtual NMIs" the blocking that the guest sees does not hold NMIs back.
      if (!on(Control::NmiExiting) || (cpu.nmi_blocked && !on(Control::VirtualNmis))) return false;
      cpu.nmi_pending = false;
      info.reason = ExitReason::ExceptionOrNmi;
      info.intr_info = kValid | static_cast<u32>(EventType::Nmi) << 8 | 2;
      break;
    case External::Init:
      info.reason = ExitReason::InitSignal;
      break;
    case External::Smi:
      return false;
    case External::Sipi:
      info.reason = ExitReason::Sipi;
      info.qualification = vector;
      break;
  }
  exit(cpu, info);
  return true;
}

// With external-interrupt exiting, RFLAGS.IF does not mask them. SDM 3C 26.3.
bool VmxExtension::interrupts_allowed(const Cpu& cpu) const {
  return on(Control::ExternalInterruptExiting) || (cpu.rflags_rest & rflags::IF) != 0;
}

// SDM 3C 26.5.1, 27.7.5, 27.7.6: the timer and open windows end HLT; the timer also ends shutdown
// and counts, without ending it, in wait-for-SIPI.
bool VmxExtension::wakes(const Cpu& cpu) const {
  if (mtf_pending_ || on(Control::MonitorTrapFlag)) return true;
  if (on(Control::PreemptionTimer) && timer_left(cpu) == 0) return true;
  if (on(Control::NmiWindowExiting) && nmi_window_open(cpu)) return true;
  if (cpu.nmi_pending && on(Control::NmiExiting) && on(Control::VirtualNmis)) return true;
  return cpu.activity == Activity::Halt && on(Control::InterruptWindowExiting) &&
         interrupt_window_open(cpu);
}

bool VmxExtension::second_stage_active(const Cpu& cpu) const {
  return cpu.guest_mode && eptp_ != 0;
}

bool VmxExtension::translate(Cpu& cpu, u64 gpa, const GpaAccess& access, SecondStage& out) {
  const EptRules rules{eptp_, caps_.phys_bits, (caps_.ept_vpid & ept_vpid::Page1G) != 0, true,
                       on(Control::ModeBasedExecute)};
  const EptResult result = ept_walk(*cpu.mem, rules, gpa, access);
  if (result.kind == EptResult::Kind::Mapped) {
    out = result.stage;
    return true;
  }
  second_stage_exit_ = ExitInfo{};
  second_stage_exit_.physical = gpa;
  if (result.kind == EptResult::Kind::Violation) {
    second_stage_exit_.reason = ExitReason::EptViolation;
    second_stage_exit_.qualification = result.qualification;
    if (access.linear_valid) second_stage_exit_.linear = access.linear;
  } else {
    second_stage_exit_.reason = ExitReason::EptMisconfiguration;
  }
  return false;
}

void VmxExtension::take_second_stage_exit(Cpu& cpu, const Event* during) {
  ExitInfo info = second_stage_exit_;
  info.during = during;
  info.insn_length = software_length(cpu, during);
  exit(cpu, info);
}

}  // namespace softvt::vmx
