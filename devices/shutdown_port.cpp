#include "devices/shutdown_port.h"

namespace softvt {
namespace {

constexpr std::string_view kWord = "Shutdown";

}  // namespace

void ShutdownPort::write_byte(u16 port, u8 value) {
  if (port != platform::kShutdown) return;
  if (value == static_cast<u8>(kWord[matched_])) {
    ++matched_;
  } else {
    matched_ = value == static_cast<u8>(kWord[0]) ? 1 : 0;
  }
  if (matched_ < kWord.size()) return;
  matched_ = 0;
  if (power_off_) power_off_();
}

}  // namespace softvt
