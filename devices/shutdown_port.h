// The port to which a guest writes the letters "Shutdown", one by one, to power the machine off,
// as the Bochs BIOS does.
#pragma once
#include <functional>
#include <utility>

#include "devices/byte_port_device.h"
#include "machine/platform.h"

namespace softvt {

class ShutdownPort : public BytePortDevice {
 public:
  explicit ShutdownPort(std::function<void()> power_off) : power_off_(std::move(power_off)) {}

  std::string_view name() const override { return "shutdown-port"; }
  void reset() { matched_ = 0; }

 protected:
  u8 read_byte(u16) override { return kOpenBus; }
  void write_byte(u16 port, u8 value) override;

 private:
  std::function<void()> power_off_;
  size_t matched_ = 0;
};

}  // namespace softvt
