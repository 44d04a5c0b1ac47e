// The 8254 programmable interval timer of a PC with port 0x61 beside it: counter 0 drives IRQ 0,
// counter 1 stood for memory refresh, counter 2 drives the speaker and can be gated.
//
// Nothing ticks: every value is computed from the ticks of the 1.193182 MHz clock since the counter
// was loaded, and a Timer waits for the next change of OUT of counter 0.
#pragma once
#include <array>

#include "cpu/timeline.h"
#include "devices/device.h"

namespace softvt {

// One counter. All dates are in clock ticks since power-on.
class I8254Counter {
 public:
  void write_control(u64 now, u8 control);
  void write_count(u64 now, u8 value);
  u8 read(u64 now);
  void latch_count(u64 now);
  void latch_status(u64 now);
  void set_gate(u64 now, bool level);

  bool gate() const { return gate_; }
  bool out(u64 now);
  // First tick after `now` at which OUT changes, kNever if it does not.
  u64 next_change(u64 now);
  // Length of a period that repeats for ever, 0 if the mode has none.
  u64 period() const { return periodic() && running_ ? count_ : 0; }

 private:
  enum class Access : u8 { kLatch = 0, kLow = 1, kHigh = 2, kLowHigh = 3 };
  enum class Mode : u8 {
    kTerminalCount = 0,
    kOneShot = 1,
    kRateGenerator = 2,
    kSquareWave = 3,
    kSoftwareStrobe = 4,
    kHardwareStrobe = 5,
  };

  bool periodic() const { return mode_ == Mode::kRateGenerator || mode_ == Mode::kSquareWave; }
  bool gate_triggers() const {
    return mode_ == Mode::kOneShot || mode_ == Mode::kHardwareStrobe || periodic();
  }
  u64 elapsed(u64 now) const;
  u64 high_ticks() const { return (count_ + 1) / 2; }
  void settle(u64 now);
  void new_count(u64 now);
  void start(u64 at);
  void stop(u64 now);
  u32 modulus() const { return bcd_ ? 10000 : 65536; }
  u32 decode(u16 raw) const;
  u16 encode(u64 value) const;
  u16 value(u64 now);
  u8 status(u64 now);

  Mode mode_ = Mode::kTerminalCount;
  Access access_ = Access::kLowHigh;
  bool bcd_ = false;
  bool gate_ = true;

  u32 count_ = 65536;          // what the running period was loaded with
  u16 count_register_ = 0;     // CR, as written
  bool programmed_ = false;    // a count was written since the control word
  bool reload_waits_ = false;  // CR goes to the counter at the end of the period or at a trigger
  bool loaded_ = false;        // the counter holds a count of the present mode
  bool running_ = false;
  bool out_forced_low_ = false;  // mode 0 between the two bytes of a count
  u64 start_ = 0;                // tick of the load, or of the last resumption
  u64 before_ = 0;               // ticks counted before start_

  bool write_high_next_ = false;
  u8 low_written_ = 0;
  bool read_high_next_ = false;
  bool count_latched_ = false;
  u16 latched_count_ = 0;
  bool status_latched_ = false;
  u8 latched_status_ = 0;
};

class I8254 : public PortDevice {
 public:
  static constexpr u16 kPort = 0x40;         // 0x40..0x43
  static constexpr u16 kControlPort = 0x61;  // "NMI status and control", port B of the AT
  static constexpr u64 kHz = 1193182;

  I8254(Timeline& timeline, IrqLine irq0);

  std::string_view name() const override { return "i8254"; }
  u32 port_read(u16 port, unsigned size) override;
  void port_write(u16 port, u32 value, unsigned size) override;

  void reset();

  // OUT of counter 2 while the speaker is switched on.
  bool speaker();

 private:
  u64 tick() const;
  u8 read_byte(u16 port);
  void write_byte(u16 port, u8 value);
  void write_control(u64 now, u8 value);
  u8 read_port61(u64 now);
  void run_irq(u64 now);
  void drive_irq(bool level);
  void arm(u64 now);

  Timeline& timeline_;
  IrqLine irq0_;
  std::array<I8254Counter, 3> counters_;
  u8 port61_ = 0;
  bool irq_level_ = false;
  u64 irq_run_to_ = 0;
  Timeline::Timer timer_;
};

}  // namespace softvt
