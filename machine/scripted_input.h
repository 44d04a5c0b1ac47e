// Console input from a script. The serial port is given all of it at once, at the first moment at
// which the guest listens: bytes that come before a driver has set the port up would be thrown away
// when it clears the FIFOs. To listen is to enable the receive interrupt with the OUT2 gate open,
// or to look at the line status again and again without sending anything.
#pragma once
#include <string>

#include "devices/uart16550.h"

namespace softvt {

// Stands between the port bus and the serial port.
class ScriptedInput : public PortDevice {
 public:
  ScriptedInput(u16 base, Uart16550& uart, std::string script)
      : base_(base), uart_(uart), script_(std::move(script)) {}

  std::string_view name() const override { return uart_.name(); }
  u32 port_read(u16 port, unsigned size) override;
  void port_write(u16 port, u32 value, unsigned size) override;

 private:
  static constexpr unsigned kPollsToListen = 256;

  void observe_write(u16 port, u8 value);
  void give();

  u16 base_;
  Uart16550& uart_;
  std::string script_;
  u8 interrupt_enable_ = 0;
  u8 line_control_ = 0;
  u8 modem_control_ = 0;
  unsigned polls_ = 0;
};

}  // namespace softvt
