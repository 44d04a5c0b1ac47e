// The paravirtual panic port: a guest reads which events it may report and writes the one that
// happened to it.
#pragma once
#include <functional>
#include <utility>

#include "devices/byte_port_device.h"
#include "machine/platform.h"

namespace softvt {

enum PvPanicEvent : u8 {
  kPvPanicPanicked = 1,
  kPvPanicCrashLoaded = 2,
  kPvPanicAll = kPvPanicPanicked | kPvPanicCrashLoaded
};

class PvPanic : public BytePortDevice {
 public:
  // `on_event` gets the known PvPanicEvent bits of a write, never 0.
  explicit PvPanic(std::function<void(u8 events)> on_event) : on_event_(std::move(on_event)) {}

  std::string_view name() const override { return "pvpanic"; }

 protected:
  u8 read_byte(u16 port) override;
  void write_byte(u16 port, u8 value) override;

 private:
  std::function<void(u8)> on_event_;
};

}  // namespace softvt
