#include "machine/scripted_input.h"

#include <utility>

namespace softvt {
namespace {

enum Register : u16 {
  kData = 0,
  kInterruptEnable = 1,
  kLineControl = 3,
  kModemControl = 4,
  kLineStatus = 5
};
constexpr u8 kReceiveInterrupt = 1;
constexpr u8 kDivisorLatch = 0x80;
constexpr u8 kOut2 = 0x08;
constexpr u8 kLoopback = 0x10;

}  // namespace

u32 ScriptedInput::port_read(u16 port, unsigned size) {
  const u32 value = uart_.port_read(port, size);
  if (!script_.empty() && port - base_ == kLineStatus && ++polls_ == kPollsToListen) give();
  return value;
}

void ScriptedInput::port_write(u16 port, u32 value, unsigned size) {
  uart_.port_write(port, value, size);
  if (script_.empty()) return;
  for (unsigned i = 0; i < size && i < 4; ++i) {
    observe_write(static_cast<u16>(port + i), static_cast<u8>(value >> (8 * i)));
  }
  const bool interrupts = (interrupt_enable_ & kReceiveInterrupt) != 0;
  if (interrupts && (modem_control_ & (kOut2 | kLoopback)) == kOut2) give();
}

void ScriptedInput::observe_write(u16 port, u8 value) {
  polls_ = 0;
  const bool divisor = (line_control_ & kDivisorLatch) != 0;
  switch (port - base_) {
    case kInterruptEnable:
      if (!divisor) interrupt_enable_ = value;
      break;
    case kLineControl:
      line_control_ = value;
      break;
    case kModemControl:
      modem_control_ = value;
      break;
    default:
      break;
  }
}

void ScriptedInput::give() {
  const std::string script = std::exchange(script_, {});
  for (const char c : script) uart_.receive(static_cast<u8>(c));
}

}  // namespace softvt
