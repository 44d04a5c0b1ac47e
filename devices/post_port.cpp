#include "devices/post_port.h"

#include "machine/platform.h"

namespace softvt {

u8 PostPort::read_byte(u16 port) {
  if (port == platform::kPostCode) return post_code_;
  return port == platform::kIoDelay ? delay_ : kOpenBus;
}

void PostPort::write_byte(u16 port, u8 value) {
  if (port == platform::kPostCode) post_code_ = value;
  if (port == platform::kIoDelay) delay_ = value;
}

}  // namespace softvt
