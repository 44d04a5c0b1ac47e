// The fixed ACPI hardware (ACPI 6.4, chapter 4.8): PM1a event and control registers, the PM timer,
// a GPE0 block without events, and the SMI command port through which ACPI mode is switched on.
#pragma once
#include <functional>

#include "cpu/timeline.h"
#include "devices/byte_port_device.h"
#include "machine/platform.h"

namespace softvt {

class AcpiPm : public BytePortDevice {
 public:
  AcpiPm(Timeline& timeline, IrqLine sci, std::function<void()> power_off,
         bool timer_32bit = platform::kPmTimer32Bit);

  std::string_view name() const override { return "acpi-pm"; }
  void press_power_button();
  void reset();

 protected:
  u8 read_byte(u16 port) override;
  void write_byte(u16 port, u8 value) override;

 private:
  u64 ticks() const;
  u64 half_period() const { return u64{1} << (timer_32bit_ ? 31 : 23); }
  u8 read_gpe(unsigned index) const;
  void write_control_high(u8 value);
  void write_smi_command(u8 value);
  void catch_up();
  void settle();

  Timeline& timeline_;
  IrqLine sci_;
  std::function<void()> power_off_;
  const bool timer_32bit_;
  Timeline::Timer timer_;

  u16 status_ = 0;
  u16 enable_ = 0;
  u16 control_ = 0;
  u64 gpe_enable_ = 0;
  u64 seen_ticks_ = 0;
  u8 smi_command_ = 0;
  u8 smi_status_ = 0;
  bool line_ = false;
};

}  // namespace softvt
