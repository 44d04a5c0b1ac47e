// A port whose write ends the run with the value written, like the isa-debug-exit device.
#pragma once
#include <functional>
#include <utility>

#include "devices/device.h"
#include "machine/platform.h"

namespace softvt {

class DebugExit : public PortDevice {
 public:
  explicit DebugExit(std::function<void(u32)> on_exit, u16 port = platform::kDebugExit)
      : on_exit_(std::move(on_exit)), port_(port) {}

  std::string_view name() const override { return "debug-exit"; }
  u16 port() const { return port_; }
  u32 port_read(u16 port, unsigned size) override;
  void port_write(u16 port, u32 value, unsigned size) override;

 private:
  std::function<void(u32)> on_exit_;
  u16 port_;
};

}  // namespace softvt
