#include "devices/pvpanic.h"

namespace softvt {

u8 PvPanic::read_byte(u16 port) {
  return port == platform::kPvPanic ? static_cast<u8>(kPvPanicAll) : kOpenBus;
}

void PvPanic::write_byte(u16 port, u8 value) {
  const u8 events = value & kPvPanicAll;
  if (port == platform::kPvPanic && events != 0 && on_event_) on_event_(events);
}

}  // namespace softvt
