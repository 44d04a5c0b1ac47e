#include "devices/debugcon.h"

namespace softvt {
namespace {

constexpr u8 kPresent = 0xe9;

}  // namespace

u8 DebugCon::read_byte(u16 port) { return port == port_ ? kPresent : kOpenBus; }

void DebugCon::write_byte(u16 port, u8 value) {
  if (port == port_ && sink_) sink_(value);
}

}  // namespace softvt
