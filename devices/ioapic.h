// The I/O APIC (82093AA register file, version 0x20 with the EOI register): 24 input pins, each
// with a redirection entry that makes an interrupt message of it.
#pragma once
#include <array>

#include "cpu/apic/interrupt_message.h"
#include "devices/device.h"

namespace softvt {

class IoApic : public MmioDevice {
 public:
  static constexpr u64 kDefaultBase = 0xfec00000;
  static constexpr unsigned kPins = 24;
  static constexpr u32 kVersion = 0x20;

  IoApic(ApicBus& bus, u8 id) : bus_(bus), initial_id_(id & 0xf) { reset(); }

  std::string_view name() const override { return "ioapic"; }
  u64 mmio_read(u64 offset, unsigned size) override;
  void mmio_write(u64 offset, u64 value, unsigned size) override;

  void reset();

  // Input pin 0..23. The line is logical (true means asserted), so the polarity bit of the entry
  // has no effect.
  void set_irq(unsigned pin, bool level);

  // The end of a level-triggered interrupt, from a local APIC or from the EOI register.
  void eoi(u8 vector);

  u64 redirection(unsigned pin) const { return pin < kPins ? entries_[pin] : 0; }

 private:
  u32 read_indirect() const;
  void write_indirect(u32 value);
  void write_entry(unsigned pin, bool high, u32 value);
  bool tracks_level(unsigned pin) const;
  void service_level(unsigned pin);
  void send(unsigned pin);

  ApicBus& bus_;
  u8 initial_id_;
  u8 id_ = 0;
  u8 select_ = 0;
  std::array<u64, kPins> entries_{};
  std::array<bool, kPins> lines_{};
};

}  // namespace softvt
