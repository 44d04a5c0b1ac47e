// The high precision event timer (IA-PC HPET specification 1.0a): a 64-bit counter of 10 ns ticks
// and three comparators, each periodic or one-shot, edge or level, with the legacy replacement
// route. No FSB (MSI) delivery.
#pragma once
#include <array>
#include <functional>
#include <memory>

#include "cpu/timeline.h"
#include "devices/device.h"

namespace softvt {

// Where the interrupts go. An edge-triggered timer lowers and raises its line at each match and
// leaves it up, so that a receiver which is slow to acknowledge does not lose it.
struct HpetLines {
  std::function<void(unsigned pin, bool level)> ioapic_pin;
  IrqLine legacy_irq0;  // timer 0 in the legacy replacement route: instead of the PIT
  IrqLine legacy_irq8;  // timer 1: instead of the RTC
  // True while the legacy replacement route is on: the board cuts off the PIT and the RTC.
  IrqLine legacy_route;
};

class Hpet : public MmioDevice {
 public:
  static constexpr u64 kDefaultBase = 0xfed00000;
  static constexpr u64 kSize = 0x400;
  static constexpr unsigned kTimers = 3;
  static constexpr u64 kNanosPerTick = 10;
  // A shorter period would let the guest starve the host.
  static constexpr u64 kMinPeriodTicks = 100;

  Hpet(Timeline& timeline, HpetLines lines);

  std::string_view name() const override { return "hpet"; }
  u64 mmio_read(u64 offset, unsigned size) override;
  void mmio_write(u64 offset, u64 value, unsigned size) override;

  void reset();

 private:
  struct Comparator {
    u64 config = 0;
    u64 match = 0;
    u64 period = 0;
    u64 fsb_route = 0;
    bool line = false;        // what was last driven
    unsigned line_route = 0;  // and where
    u64 matched_at = kNever;  // counter value of the last match: does not match twice there
    std::unique_ptr<Timeline::Timer> timer;
  };

  u64 counter() const;
  u64 read_register(u64 offset) const;
  void write_register(u64 offset, u64 value, u64 written);
  void write_general_config(u64 value);
  void write_status(u64 value);
  void write_timer_config(unsigned index, u64 value);
  void write_comparator(unsigned index, u64 value);
  u64 mask_of(unsigned index) const;
  u64 ticks_to_match(unsigned index) const;
  void match(unsigned index);
  void advance(unsigned index);
  void arm(unsigned index);
  void arm_all();
  unsigned route(unsigned index) const;
  void drive(unsigned route, bool level);
  void set_line(unsigned index, bool level);
  void update_level_line(unsigned index);
  bool legacy() const;
  bool enabled() const;

  Timeline& timeline_;
  HpetLines lines_;
  std::array<Comparator, kTimers> timers_;
  u64 config_ = 0;
  u64 status_ = 0;
  u64 counter_base_ = 0;  // value of the counter when it was last started, or while it stands
  u64 started_at_ = 0;    // date of that start
};

}  // namespace softvt
