// The interconnect of the local APICs of a machine: finds the receivers of each message.
#pragma once
#include <functional>
#include <vector>

#include "cpu/apic/interrupt_message.h"
#include "cpu/apic/local_apic.h"

namespace softvt {

class ApicInterconnect : public ApicBus {
 public:
  // In order of vcpu; the local APIC must outlive the interconnect's use.
  void attach(LocalApic& apic) { apics_.push_back(&apic); }
  // Hears of every EOI of a level-triggered interrupt: one for each I/O APIC.
  void on_eoi(std::function<void(u8 vector)> listener) { eoi_.push_back(std::move(listener)); }

  void deliver(const InterruptMessage& message) override;
  void broadcast_eoi(u8 vector) override;

 private:
  bool addressed(const LocalApic& apic, const InterruptMessage& message) const;
  void deliver_lowest_priority(const InterruptMessage& message);

  std::vector<LocalApic*> apics_;
  std::vector<std::function<void(u8)>> eoi_;
  size_t last_chosen_ = 0;
};

// The message of an MSI or MSI-X write to 0xfee?????, as SDM 3A 11.11 "Message Signalled
// Interrupts" lays out its address and data.
InterruptMessage message_of_msi(u64 address, u32 data);

}  // namespace softvt
