// The two chipset ports that reset the machine: system control port A (0x92: fast A20 and fast
// reset) and the reset control register (0xcf9).
#pragma once
#include <functional>

#include "devices/a20_gate.h"
#include "devices/byte_port_device.h"

namespace softvt {

class ResetControl : public BytePortDevice {
 public:
  ResetControl(A20Gate& a20, std::function<void()> reset_machine);

  std::string_view name() const override { return "reset-control"; }
  void reset();

 protected:
  u8 read_byte(u16 port) override;
  void write_byte(u16 port, u8 value) override;

 private:
  void write_port_a(u8 value);
  void write_reset_control(u8 value);

  A20Gate& a20_;
  std::function<void()> reset_machine_;
  u8 port_a_ = 0;
  u8 reset_control_ = 0;
};

}  // namespace softvt
