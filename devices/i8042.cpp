#include "devices/i8042.h"

#include <utility>

#include "machine/platform.h"

namespace softvt {
namespace {

enum Status : u8 {
  kStatusOutputFull = 0x01,
  kStatusSystem = 0x04,
  kStatusCommand = 0x08,
  kStatusUnlocked = 0x10,
  kStatusAuxData = 0x20,
  kStatusTimeout = 0x40
};

enum CommandByte : u8 {
  kCtrKeyboardIrq = 0x01,
  kCtrSystem = 0x04,
  kCtrKeyboardOff = 0x10,
  kCtrAuxOff = 0x20,
  kCtrTranslate = 0x40
};

enum Command : u8 {
  kReadRamFirst = 0x20,
  kReadRamLast = 0x3f,
  kWriteRamFirst = 0x60,
  kWriteRamLast = 0x7f,
  kAuxOff = 0xa7,
  kAuxOn = 0xa8,
  kAuxTest = 0xa9,
  kSelfTest = 0xaa,
  kKeyboardTest = 0xab,
  kKeyboardOff = 0xad,
  kKeyboardOn = 0xae,
  kReadInputPort = 0xc0,
  kReadOutputPort = 0xd0,
  kWriteOutputPort = 0xd1,
  kWriteKeyboardBuffer = 0xd2,
  kWriteAuxBuffer = 0xd3,
  kWriteAux = 0xd4,
  kA20Off = 0xdd,
  kA20On = 0xdf,
  kReadTestInputs = 0xe0,
  kPulseFirst = 0xf0
};

enum OutputPort : u8 {
  kOutNotReset = 0x01,
  kOutA20 = 0x02,
  kOutKeyboardIrq = 0x10,
  kOutIdle = 0xcc
};

constexpr u8 kSelfTestPassed = 0x55;
constexpr u8 kAuxClockStuckLow = 0x01;  // the answer of a controller without a second port
constexpr u8 kInputPortUnlocked = 0x80;
constexpr u8 kResend = 0xfe;  // what the controller reports for a device that does not answer
constexpr size_t kMaxQueued = 16;

}  // namespace

I8042::I8042(IrqLine keyboard_irq, A20Gate& a20, std::function<void()> reset_machine)
    : keyboard_irq_(std::move(keyboard_irq)), a20_(a20), reset_machine_(std::move(reset_machine)) {
  ram_[0] = kCtrTranslate | kCtrAuxOff;
}

void I8042::reset() {
  output_.clear();
  ram_.fill(0);
  ram_[0] = kCtrTranslate | kCtrAuxOff;
  waiting_command_ = 0;
  last_was_command_ = false;
  update_irq();
}

u8 I8042::read_byte(u16 port) {
  if (port == platform::kI8042Command) return status();
  if (port != platform::kI8042Data) return kOpenBus;
  if (!output_.empty()) {
    last_data_ = output_.front().data;
    output_.pop_front();
    // Drop the line before the next byte raises it: the receiver is edge-triggered.
    line_ = false;
    if (keyboard_irq_) keyboard_irq_(false);
    update_irq();
  }
  return last_data_;
}

void I8042::write_byte(u16 port, u8 value) {
  if (port == platform::kI8042Command) {
    last_was_command_ = true;
    waiting_command_ = 0;
    write_command(value);
  } else if (port == platform::kI8042Data) {
    last_was_command_ = false;
    const u8 command = std::exchange(waiting_command_, u8{0});
    if (command != 0) {
      write_parameter(command, value);
    } else {
      // A byte for the keyboard also switches its interface on.
      ram_[0] &= static_cast<u8>(~kCtrKeyboardOff);
      answer(kResend, kStatusTimeout);
    }
  }
}

u8 I8042::status() const {
  u8 value = kStatusUnlocked;
  if (!output_.empty()) value |= static_cast<u8>(kStatusOutputFull | output_.front().status);
  if ((ram_[0] & kCtrSystem) != 0) value |= kStatusSystem;
  if (last_was_command_) value |= kStatusCommand;
  return value;
}

u8 I8042::output_port() const {
  u8 value = kOutIdle | kOutNotReset;
  if (a20_.get(A20Gate::Source::kKeyboardController)) value |= kOutA20;
  if (line_) value |= kOutKeyboardIrq;
  return value;
}

void I8042::write_output_port(u8 value) {
  a20_.set(A20Gate::Source::kKeyboardController, (value & kOutA20) != 0);
  if ((value & kOutNotReset) == 0 && reset_machine_) reset_machine_();
}

void I8042::write_command(u8 command) {
  if (command >= kReadRamFirst && command <= kReadRamLast) {
    answer(ram_[command & 0x1f]);
    return;
  }
  if (command >= kWriteRamFirst && command <= kWriteRamLast) {
    waiting_command_ = command;
    return;
  }
  if (command >= kPulseFirst) {  // a 0 among the low four bits pulses that output line low
    if ((command & kOutNotReset) == 0 && reset_machine_) reset_machine_();
    return;
  }
  switch (command) {
    case kAuxOff:
      ram_[0] |= kCtrAuxOff;
      break;
    case kAuxOn:  // no second port: its "disabled" bit stays set
      break;
    case kAuxTest:
      answer(kAuxClockStuckLow);
      break;
    case kSelfTest:
      ram_[0] |= kCtrSystem;
      answer(kSelfTestPassed);
      break;
    case kKeyboardTest:
      answer(0);
      break;
    case kKeyboardOff:
      ram_[0] |= kCtrKeyboardOff;
      break;
    case kKeyboardOn:
      ram_[0] &= static_cast<u8>(~kCtrKeyboardOff);
      break;
    case kReadInputPort:
      answer(kInputPortUnlocked);
      break;
    case kReadOutputPort:
      answer(output_port());
      break;
    case kWriteOutputPort:
    case kWriteKeyboardBuffer:
    case kWriteAuxBuffer:
    case kWriteAux:
      waiting_command_ = command;
      break;
    case kA20Off:
    case kA20On:
      a20_.set(A20Gate::Source::kKeyboardController, command == kA20On);
      break;
    case kReadTestInputs:
      answer(0);
      break;
    default:  // unknown commands are ignored, as by the real controller
      break;
  }
}

void I8042::write_parameter(u8 command, u8 value) {
  switch (command) {
    case kWriteOutputPort:
      write_output_port(value);
      break;
    case kWriteKeyboardBuffer:
    case kWriteAuxBuffer:
      // A controller without a second port takes 0xd3 like 0xd2: the byte comes back as keyboard
      // data, which tells a prober that there is no loop through a second port.
      answer(value);
      break;
    case kWriteAux:
      answer(kResend, kStatusTimeout | kStatusAuxData);
      break;
    default:
      ram_[command & 0x1f] = value;
      if ((command & 0x1f) == 0) ram_[0] |= kCtrAuxOff;
      update_irq();
      break;
  }
}

void I8042::answer(u8 data, u8 status) {
  if (output_.size() < kMaxQueued) output_.push_back({data, status});
  update_irq();
}

void I8042::update_irq() {
  const bool keyboard_data = !output_.empty() && (output_.front().status & kStatusAuxData) == 0;
  const bool level = keyboard_data && (ram_[0] & kCtrKeyboardIrq) != 0;
  if (level == line_) return;
  line_ = level;
  if (keyboard_irq_) keyboard_irq_(level);
}

}  // namespace softvt
