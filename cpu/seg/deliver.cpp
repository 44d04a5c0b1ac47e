#include "cpu/seg/deliver.h"

#include "cpu/seg/deliver_internal.h"
#include "cpu/seg/load.h"
#include "cpu/seg/vme.h"

namespace softvt {

namespace delivery {

bool software(EventType type) {
  return type == EventType::SoftwareInterrupt || type == EventType::SoftwareException ||
         type == EventType::PrivilegedSoftwareException;
}

bool checks_gate_level(EventType type) {
  return type == EventType::SoftwareInterrupt || type == EventType::SoftwareException;
}

bool fail_vector(Cpu& cpu, Vector fault, u8 vector) {
  cpu.raise(fault, idt_error(vector));
  return false;
}

bool handler_code(Cpu& cpu, u16 selector, Descriptor& code, unsigned& level) {
  if (null_selector(selector)) return fail_selector(cpu, Vector::GP, 0);
  if (!fetch_descriptor_or_raise(cpu, selector, Vector::GP, code)) return false;
  const bool shape_ok = code.code() && code.dpl() <= cpu.cpl() &&
                        (!cpu.long_mode() || (valid_code_segment(cpu, code) && code.long_code()));
  if (!shape_ok) return fail_selector(cpu, Vector::GP, selector);
  if (!code.present()) return fail_selector(cpu, Vector::NP, selector);
  level = code.conforming() ? cpu.cpl() : code.dpl();
  return true;
}

}  // namespace delivery

namespace {

using delivery::Delivery;

constexpr u64 kDr6Conditions = 0xf;  // B0..B3
constexpr u64 kDr6SingleStep = 1 << 14;
constexpr u64 kDr7GeneralDetect = 1 << 13;
constexpr u64 kDebugctlLbrBtf = 3;

bool is_exception(const Event& event, Vector vector) {
  return event.type == EventType::HardwareException && event.vector == static_cast<u8>(vector);
}

// SDM 3B 18.2.3 "Debug Status Register (DR6)", 18.2.4, 18.4.4.
void note_debug_exception(Cpu& cpu, const Event& event) {
  cpu.dr6 = (cpu.dr6 & ~kDr6Conditions) | event.dr6;
  cpu.dr7 &= ~kDr7GeneralDetect;
  cpu.msr.debugctl &= ~kDebugctlLbrBtf;
  cpu.update_mode();
}

// What waits behind a MOV SS when another event comes first. The single-step trap of the MOV SS
// itself is lost; breakpoints are reported with a #DB of the next instruction, or stay pending.
// SDM 3A 6.8.3, SDM 3B 18.3.1.4.
void settle_pending_debug(Cpu& cpu, const Event& event) {
  cpu.pending_dr6 &= ~kDr6SingleStep;
  if (event.vector != static_cast<u8>(Vector::DB)) return;
  const bool debug = event.type == EventType::HardwareException ||
                     event.type == EventType::PrivilegedSoftwareException;
  if (!debug || cpu.pending_dr6 == 0) return;
  cpu.dr6 = (cpu.dr6 & ~kDr6Conditions) | cpu.pending_dr6;
  cpu.pending_dr6 = 0;
}

void apply_side_effects(Cpu& cpu, const Event& event) {
  if (cpu.pending_dr6 != 0) settle_pending_debug(cpu, event);
  if (is_exception(event, Vector::PF)) cpu.cr2 = event.cr2;
  if (is_exception(event, Vector::DB) && event.dr6 != 0) note_debug_exception(cpu, event);
  if (event.type == EventType::Nmi) cpu.nmi_blocked = true;
}

// Faults set RF in the image so that an instruction breakpoint does not hit twice; #DB faults are
// those breakpoints themselves or are told apart by no one. SDM 3B 18.3.1.1.
bool fault_class(const Event& event) {
  if (event.type != EventType::HardwareException) return false;
  switch (static_cast<Vector>(event.vector)) {
    case Vector::DB:
    case Vector::NMI:
    case Vector::BP:
    case Vector::OF:
    case Vector::DF:
    case Vector::MC:
      return false;
    default:
      return true;
  }
}

u64 flags_image(const Cpu& cpu, const Event& event) {
  const u64 flags = cpu.flags();
  if (fault_class(event)) return flags | rflags::RF;
  return delivery::software(event.type) ? flags & ~rflags::RF : flags;
}

bool deliver_v86(Cpu& cpu, const Delivery& d) {
  if (d.event.type != EventType::SoftwareInterrupt) return delivery::deliver_protected(cpu, d);
  switch (classify_v86_interrupt(cpu, d.event.vector)) {
    case V86Interrupt::Protected:
      return delivery::deliver_protected(cpu, d);
    case V86Interrupt::Redirected:
      return delivery::deliver_vme(cpu, d);
    case V86Interrupt::Fault:
      break;
  }
  return false;
}

bool deliver_by_mode(Cpu& cpu, const Delivery& d) {
  if (!cpu.protected_mode()) return delivery::deliver_real(cpu, d);
  if (cpu.long_mode()) return delivery::deliver_long(cpu, d);
  return cpu.v86() ? deliver_v86(cpu, d) : delivery::deliver_protected(cpu, d);
}

// Faults met while an event from outside the program is delivered have EXT set.
// SDM 3A 6.13 "Error Code".
void add_ext(Cpu& cpu, const Event& event) {
  if (!cpu.fault_pending || delivery::checks_gate_level(event.type)) return;
  switch (static_cast<Vector>(cpu.fault.vector)) {
    case Vector::TS:
    case Vector::NP:
    case Vector::SS:
    case Vector::GP:
      cpu.fault.error |= 1;
      break;
    default:
      break;
  }
}

}  // namespace

u64 return_rip_of(const Cpu& cpu, const Event& event) {
  return delivery::software(event.type) ? cpu.next_rip : cpu.rip;
}

bool deliver(Cpu& cpu, const Event& posted, u64 return_rip) {
  const Event event = posted;  // `posted` may be cpu.fault, which a second fault overwrites
  apply_side_effects(cpu, event);
  const Delivery d{event, return_rip, flags_image(cpu, event)};
  if (!deliver_by_mode(cpu, d)) {
    add_ext(cpu, event);
    return false;
  }
  cpu.shadow = Shadow::None;
  return true;
}

Step raise_software(Cpu& cpu, u8 vector, EventType type) {
  Event event;
  event.vector = vector;
  event.type = type;
  return cpu.raise_event(event);
}

}  // namespace softvt
