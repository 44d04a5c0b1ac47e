// Faults while events are delivered: double fault and shutdown.
// SDM 3A 6.15 "Interrupt 8—Double Fault Exception (#DF)", tables 6-4 and 6-5.
#include "cpu/seg/deliver.h"

namespace softvt {

namespace {

enum class FaultClass : u8 { Benign, Contributory, PageFault, DoubleFault };
enum class Outcome : u8 { Serial, DoubleFault, Shutdown };

FaultClass class_of(const Event& event) {
  if (event.type != EventType::HardwareException) return FaultClass::Benign;
  switch (static_cast<Vector>(event.vector)) {
    case Vector::DE:
    case Vector::TS:
    case Vector::NP:
    case Vector::SS:
    case Vector::GP:
    case Vector::CP:
      return FaultClass::Contributory;
    case Vector::PF:
    case Vector::VE:
      return FaultClass::PageFault;
    case Vector::DF:
      return FaultClass::DoubleFault;
    default:
      return FaultClass::Benign;
  }
}

// Rows: class of the first event; columns: class of the second. A second #DF does not occur.
constexpr Outcome kOutcomes[4][3] = {
    {Outcome::Serial, Outcome::Serial, Outcome::Serial},
    {Outcome::Serial, Outcome::DoubleFault, Outcome::Serial},
    {Outcome::Serial, Outcome::DoubleFault, Outcome::DoubleFault},
    {Outcome::Serial, Outcome::Shutdown, Outcome::Shutdown},
};

Outcome combine(const Event& first, const Event& second) {
  const FaultClass column = class_of(second);
  if (column == FaultClass::DoubleFault) return Outcome::Shutdown;
  return kOutcomes[static_cast<unsigned>(class_of(first))][static_cast<unsigned>(column)];
}

// Benign faults can follow each other for ever on a processor too (an #AC whose delivery is
// misaligned): it then takes no interrupts. The machine must not hang its host; it shuts down.
constexpr unsigned kMostFaults = 16;

Event double_fault() {
  Event event;
  event.vector = static_cast<u8>(Vector::DF);
  event.has_error = true;
  return event;
}

bool interceptable(const Event& event) {
  return event.type != EventType::ExternalInterrupt && event.type != EventType::Nmi;
}

// Exceptions have no error code in real-address mode. SDM 3C 25.9.2.
void drop_error_in_real_mode(const Cpu& cpu, Event& event) {
  if (cpu.protected_mode()) return;
  event.has_error = false;
  event.error = 0;
}

bool exits(Cpu& cpu, Event& event, const Event* during) {
  drop_error_in_real_mode(cpu, event);
  return cpu.guest_mode && interceptable(event) && cpu.virt->exception(cpu, event, during);
}

Delivered shut_down(Cpu& cpu) {
  if (cpu.guest_mode && cpu.virt->triple_fault(cpu)) return Delivered::VmExit;
  cpu.activity = Activity::Shutdown;
  return Delivered::Shutdown;
}

// Tells the rest of the processor which event is in delivery, for the exits that report it.
class DeliveryMark {
 public:
  DeliveryMark(Cpu& cpu, const Event& event) : cpu_(cpu) { cpu.delivering = &event; }
  ~DeliveryMark() { cpu_.delivering = nullptr; }
  DeliveryMark(const DeliveryMark&) = delete;
  DeliveryMark& operator=(const DeliveryMark&) = delete;

 private:
  Cpu& cpu_;
};

enum class Attempt : u8 { Ok, VmExit, Faulted };

Attempt attempt(Cpu& cpu, const Event& event) {
  DeliveryMark mark(cpu, event);
  if (deliver(cpu, event, return_rip_of(cpu, event))) return Attempt::Ok;
  if (cpu.second_stage_pending) {
    cpu.second_stage_pending = false;
    cpu.fault_pending = false;
    cpu.virt->take_second_stage_exit(cpu, &event);
    return Attempt::VmExit;
  }
  return cpu.fault_pending ? Attempt::Faulted : Attempt::VmExit;
}

}  // namespace

Delivered deliver_with_escalation(Cpu& cpu, Event event, Origin origin) {
  if (origin == Origin::Processor && exits(cpu, event, nullptr)) return Delivered::VmExit;
  for (unsigned faults = 0; faults < kMostFaults; ++faults) {
    const Attempt result = attempt(cpu, event);
    if (result == Attempt::Ok) return Delivered::Ok;
    if (result == Attempt::VmExit) return Delivered::VmExit;
    Event second = cpu.fault;
    cpu.fault_pending = false;
    // The second fault is intercepted as itself, before it can become a double fault.
    // SDM 3C 26.2 "Other Causes of VM Exits".
    if (exits(cpu, second, &event)) return Delivered::VmExit;
    const Outcome outcome = combine(event, second);
    if (outcome == Outcome::Shutdown) return shut_down(cpu);
    if (outcome == Outcome::Serial) {
      event = second;
      continue;
    }
    if (second.vector == static_cast<u8>(Vector::PF)) cpu.cr2 = second.cr2;
    event = double_fault();
    // SDM 3C 28.2.4: an exit by the #DF itself does not report the original event.
    if (exits(cpu, event, nullptr)) return Delivered::VmExit;
  }
  return shut_down(cpu);
}

}  // namespace softvt
