// The debug console: every byte written to port 0xe9 goes to a sink; a read gives 0xe9, by which a
// guest knows that the port is there.
#pragma once
#include <functional>
#include <utility>

#include "devices/byte_port_device.h"
#include "machine/platform.h"

namespace softvt {

class DebugCon : public BytePortDevice {
 public:
  explicit DebugCon(std::function<void(u8)> sink, u16 port = platform::kDebugCon)
      : sink_(std::move(sink)), port_(port) {}

  std::string_view name() const override { return "debugcon"; }

 protected:
  u8 read_byte(u16 port) override;
  void write_byte(u16 port, u8 value) override;

 private:
  std::function<void(u8)> sink_;
  u16 port_;
};

}  // namespace softvt
