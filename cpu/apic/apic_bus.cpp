#include "cpu/apic/apic_bus.h"

namespace softvt {

bool ApicInterconnect::addressed(const LocalApic& apic, const InterruptMessage& message) const {
  switch (message.shorthand) {
    case DestinationShorthand::kNone:
      return apic.matches(message);
    case DestinationShorthand::kSelf:
      return apic.id() == message.source;
    case DestinationShorthand::kAll:
      return apic.enabled();
    case DestinationShorthand::kAllButSelf:
      return apic.enabled() && apic.id() != message.source;
  }
  return false;
}

void ApicInterconnect::deliver(const InterruptMessage& message) {
  if (message.mode == DeliveryMode::kLowestPriority) return deliver_lowest_priority(message);
  // Who is addressed is settled before anybody reacts.
  std::vector<LocalApic*> receivers;
  for (LocalApic* apic : apics_) {
    if (addressed(*apic, message)) receivers.push_back(apic);
  }
  for (LocalApic* apic : receivers) apic->receive(message);
}

// SDM 3A 11.6.2.4 "Lowest Priority Delivery Mode". Of equals the next in turn is chosen.
void ApicInterconnect::deliver_lowest_priority(const InterruptMessage& message) {
  size_t chosen = apics_.size();
  for (size_t step = 1; step <= apics_.size(); ++step) {
    const size_t index = (last_chosen_ + step) % apics_.size();
    const LocalApic& apic = *apics_[index];
    if (!apic.accepts_fixed() || !addressed(apic, message)) continue;
    if (chosen == apics_.size() ||
        apic.processor_priority() < apics_[chosen]->processor_priority()) {
      chosen = index;
    }
  }
  if (chosen == apics_.size()) return;
  last_chosen_ = chosen;
  apics_[chosen]->receive(message);
}

void ApicInterconnect::broadcast_eoi(u8 vector) {
  for (const auto& listener : eoi_) listener(vector);
}

InterruptMessage message_of_msi(u64 address, u32 data) {
  InterruptMessage message;
  message.destination = static_cast<u32>(address >> 12) & 0xff;
  message.logical = (address & 0x4) != 0;
  message.mode = static_cast<DeliveryMode>((data >> 8) & 7);
  if (message.mode == DeliveryMode::kStartup) message.mode = DeliveryMode::kReserved;
  message.vector = static_cast<u8>(data);
  message.level_triggered = (data & 0x8000) != 0;
  message.assert_level = (data & 0x4000) != 0 || !message.level_triggered;
  return message;
}

}  // namespace softvt
