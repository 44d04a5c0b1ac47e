#include "devices/reset_control.h"

#include <utility>

#include "machine/platform.h"

namespace softvt {
namespace {

enum PortA : u8 { kPortAReset = 1, kPortAA20 = 2 };
// Bit 1 chooses hard over soft reset, bit 3 full power cycle; bit 2 starts it. All are one here.
enum Control : u8 { kControlStart = 4, kControlMask = 0x0e };

}  // namespace

ResetControl::ResetControl(A20Gate& a20, std::function<void()> reset_machine)
    : a20_(a20), reset_machine_(std::move(reset_machine)) {}

void ResetControl::reset() {
  port_a_ = 0;
  reset_control_ = 0;
}

u8 ResetControl::read_byte(u16 port) {
  if (port == platform::kResetControl) return reset_control_;
  if (port != platform::kSystemControlA) return kOpenBus;
  const bool a20 = a20_.get(A20Gate::Source::kPortA);
  return static_cast<u8>((port_a_ & ~kPortAA20) | (a20 ? kPortAA20 : 0));
}

void ResetControl::write_byte(u16 port, u8 value) {
  if (port == platform::kSystemControlA) write_port_a(value);
  if (port == platform::kResetControl) write_reset_control(value);
}

void ResetControl::write_port_a(u8 value) {
  const u8 rising = static_cast<u8>(value & ~port_a_);
  port_a_ = value;
  a20_.set(A20Gate::Source::kPortA, (value & kPortAA20) != 0);
  if ((rising & kPortAReset) != 0 && reset_machine_) reset_machine_();
}

void ResetControl::write_reset_control(u8 value) {
  const u8 rising = static_cast<u8>(value & ~reset_control_);
  // The start bit reads back as 0: the reset that it starts also clears it.
  reset_control_ = value & kControlMask & ~kControlStart;
  if ((rising & kControlStart) != 0 && reset_machine_) reset_machine_();
}

}  // namespace softvt
