// An 8042 keyboard controller without keyboard and mouse (IBM PS/2 Technical Reference, "Keyboard
// and Auxiliary Device Controller"). Every command answers at once, so probing never times out:
// the self-test passes, a byte sent to a device that is not there comes back as 0xfe with the
// status bit of a transmit timeout.
#pragma once
#include <array>
#include <deque>
#include <functional>

#include "devices/a20_gate.h"
#include "devices/byte_port_device.h"

namespace softvt {

class I8042 : public BytePortDevice {
 public:
  I8042(IrqLine keyboard_irq, A20Gate& a20, std::function<void()> reset_machine);

  std::string_view name() const override { return "i8042"; }
  void reset();

 protected:
  u8 read_byte(u16 port) override;
  void write_byte(u16 port, u8 value) override;

 private:
  // One byte for the guest together with the status bits that go with it.
  struct Output {
    u8 data;
    u8 status;
  };

  u8 status() const;
  u8 output_port() const;
  void write_output_port(u8 value);
  void write_command(u8 command);
  void write_parameter(u8 command, u8 value);
  void answer(u8 data, u8 status = 0);
  void update_irq();

  IrqLine keyboard_irq_;
  A20Gate& a20_;
  std::function<void()> reset_machine_;

  std::deque<Output> output_;
  std::array<u8, 32> ram_{};  // byte 0 is the command byte
  u8 last_data_ = 0;
  u8 waiting_command_ = 0;  // the command whose parameter comes next, 0 if none
  bool last_was_command_ = false;
  bool line_ = false;
};

}  // namespace softvt
