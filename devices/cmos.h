// The PC's real-time clock and CMOS memory (Motorola MC146818A data sheet), ports 0x70 and 0x71.
//
// The clock runs on virtual time from a fixed start date. The time registers are ordinary bytes of
// the memory: they are brought up to date before the guest reads them, and what the guest writes
// becomes the new time. Flags are found when they are looked at; a timer is armed only for an
// interrupt that is enabled and not yet flagged.
#pragma once
#include <array>

#include "cpu/timeline.h"
#include "devices/byte_port_device.h"

namespace softvt {

constexpr i64 kDefaultStartDate = 1704067200;  // 2024-01-01 00:00:00 UTC as Unix time

struct CmosConfig {
  i64 start_date = kDefaultStartDate;  // Unix time at power-on
  u64 ram_below_4g = 0;                // bytes
  u64 ram_above_4g = 0;                // bytes
};

class Cmos : public BytePortDevice {
 public:
  Cmos(Timeline& timeline, IrqLine irq, const CmosConfig& config = {});

  std::string_view name() const override { return "cmos"; }
  // A reset of the machine: interrupts go off; time and memory stay, as on a battery.
  void reset();

 protected:
  u8 read_byte(u16 port) override;
  void write_byte(u16 port, u8 value) override;

 private:
  static constexpr size_t kSize = 128;

  u8 read_register(u8 index);
  void write_register(u8 index, u8 value);
  void write_a(u8 value);
  void write_b(u8 value);
  u8 read_c();
  void store_memory_size(const CmosConfig& config);

  bool divider_running() const;
  bool updating() const;
  bool update_in_progress() const;
  u64 elapsed_seconds() const;
  i64 current_time() const;
  void set_time(i64 unix_time);

  u8 encode(u32 value) const;
  u32 decode(u8 raw) const;
  u8 encode_hour(u32 hour) const;
  u32 decode_hour(u8 raw) const;
  void load_time_registers();
  i64 time_from_registers() const;

  u32 periodic_shift() const;
  u64 periods_until(u64 phase_ns) const;
  u64 seconds_to_alarm(u32 second_of_day) const;
  bool alarm_matches(u8 raw, u32 decoded, u32 value) const;
  void catch_up();
  void settle();
  void rearm();

  Timeline& timeline_;
  IrqLine irq_;
  Timeline::Timer timer_;

  std::array<u8, kSize> ram_{};
  u8 index_ = 0;
  // A second starts whenever (now - origin_) is a multiple of one second. Arithmetic wraps.
  u64 origin_;
  i64 base_time_;       // Unix time at origin_, while the clock is updating
  u64 seen_phase_ = 0;  // (now - origin_) when flags were last brought up to date
  bool line_ = false;
};

}  // namespace softvt
