#include "devices/i8259.h"

namespace softvt {
namespace {

constexpr u8 kIcw1Marker = 0x10;
constexpr u8 kIcw1WantsIcw4 = 0x01;
constexpr u8 kIcw1Single = 0x02;
constexpr u8 kIcw4AutoEoi = 0x02;
constexpr u8 kIcw4SpecialFullyNested = 0x10;
constexpr u8 kOcw3Marker = 0x08;
constexpr u8 kOcw3Poll = 0x04;
constexpr u8 kPollRequest = 0x80;
constexpr unsigned kSpuriousLine = 7;

// Lines 0, 1, 2, 8 and 13 are edge triggered for ever (ICH datasheet, ELCR1 and ELCR2).
constexpr u8 kMasterLevelCapable = 0xf8;
constexpr u8 kSlaveLevelCapable = 0xde;

// Commands in bits 7:5 of OCW2.
enum class Ocw2 : u8 {
  kRotateOnAutoEoiClear = 0,
  kEoi = 1,
  kNothing = 2,
  kSpecificEoi = 3,
  kRotateOnAutoEoiSet = 4,
  kRotateOnEoi = 5,
  kSetPriority = 6,
  kRotateOnSpecificEoi = 7,
};

constexpr u8 bit(unsigned line) { return static_cast<u8>(1u << (line & 7)); }

}  // namespace

u8 I8259::Chip::requests() const {
  return (edge_latch & ~level_triggered) | (lines & level_triggered);
}

// A request waits while a line of its own or of higher priority is in service. Special mask mode
// takes masked lines out of that rule; special fully nested mode lets a second request of the
// slave through (8259A datasheet, "Special Mask Mode", "Special Fully Nested Mode").
bool I8259::Chip::blocked(unsigned line, bool has_cascade) const {
  const u8 blocking = special_mask ? in_service & ~mask : in_service;
  for (unsigned step = 1; step <= 8; ++step) {
    const unsigned other = (lowest_priority + step) & 7;
    if (other == line) {
      const bool nested = special_fully_nested && has_cascade && line == kCascadeLine;
      return (blocking & bit(line)) != 0 && !nested;
    }
    if (blocking & bit(other)) return true;
  }
  return false;
}

int I8259::Chip::winner(bool has_cascade) const {
  if (init_step != InitStep::kDone) return -1;
  const u8 wanted = requests() & ~mask;
  if (wanted == 0) return -1;
  for (unsigned step = 1; step <= 8; ++step) {
    const unsigned line = (lowest_priority + step) & 7;
    if ((wanted & bit(line)) != 0 && !blocked(line, has_cascade)) return static_cast<int>(line);
  }
  return -1;
}

void I8259::Chip::set_line(unsigned line, bool level) {
  const u8 input = bit(line);
  if (!level) {
    lines &= ~input;
    edge_latch &= ~input;
    return;
  }
  if (!(lines & input)) edge_latch |= input;
  lines |= input;
}

void I8259::Chip::acknowledge(unsigned line) {
  edge_latch &= ~bit(line);
  if (!auto_eoi) {
    in_service |= bit(line);
  } else if (rotate_on_auto_eoi) {
    lowest_priority = static_cast<u8>(line);
  }
}

// 8259A datasheet, "Initialization Command Words": what ICW1 clears. LTIM is not looked at, as in
// every chipset that has the ELCR.
void I8259::Chip::begin_init(u8 icw1) {
  edge_latch = 0;
  mask = 0;
  in_service = 0;
  lowest_priority = 7;
  special_mask = false;
  special_fully_nested = false;
  auto_eoi = false;
  rotate_on_auto_eoi = false;
  read_in_service = false;
  poll = false;
  single = (icw1 & kIcw1Single) != 0;
  wants_icw4 = (icw1 & kIcw1WantsIcw4) != 0;
  init_step = InitStep::kIcw2;
}

void I8259::Chip::write_init_word(u8 value) {
  const InitStep after_icw3 = wants_icw4 ? InitStep::kIcw4 : InitStep::kDone;
  switch (init_step) {
    case InitStep::kIcw2:
      vector_base = value & 0xf8;
      init_step = single ? after_icw3 : InitStep::kIcw3;
      break;
    case InitStep::kIcw3:  // the cascade is wired to line 2 whatever is written
      init_step = after_icw3;
      break;
    case InitStep::kIcw4:
      auto_eoi = (value & kIcw4AutoEoi) != 0;
      special_fully_nested = (value & kIcw4SpecialFullyNested) != 0;
      init_step = InitStep::kDone;
      break;
    case InitStep::kDone:
      break;
  }
}

int I8259::Chip::highest_in_service() const {
  // A masked line is not ended by a non-specific EOI in special mask mode.
  const u8 candidates = special_mask ? in_service & ~mask : in_service;
  for (unsigned step = 1; step <= 8; ++step) {
    const unsigned line = (lowest_priority + step) & 7;
    if (candidates & bit(line)) return static_cast<int>(line);
  }
  return -1;
}

void I8259::Chip::end_of_interrupt(int line, bool rotate) {
  if (line < 0) return;
  in_service &= ~bit(static_cast<unsigned>(line));
  if (rotate) lowest_priority = static_cast<u8>(line);
}

void I8259::Chip::write_ocw2(u8 value) {
  const int line = value & 7;
  switch (static_cast<Ocw2>(value >> 5)) {
    case Ocw2::kRotateOnAutoEoiClear:
      rotate_on_auto_eoi = false;
      break;
    case Ocw2::kRotateOnAutoEoiSet:
      rotate_on_auto_eoi = true;
      break;
    case Ocw2::kEoi:
      end_of_interrupt(highest_in_service(), false);
      break;
    case Ocw2::kRotateOnEoi:
      end_of_interrupt(highest_in_service(), true);
      break;
    case Ocw2::kSpecificEoi:
      end_of_interrupt(line, false);
      break;
    case Ocw2::kRotateOnSpecificEoi:
      end_of_interrupt(line, true);
      break;
    case Ocw2::kSetPriority:
      lowest_priority = static_cast<u8>(line);
      break;
    case Ocw2::kNothing:
      break;
  }
}

void I8259::Chip::write_ocw3(u8 value) {
  poll = (value & kOcw3Poll) != 0;
  if (value & 0x02) read_in_service = (value & 0x01) != 0;
  if (value & 0x40) special_mask = (value & 0x20) != 0;
}

void I8259::reset() {
  for (Chip& chip : chips_) {
    const u8 lines = chip.lines;
    chip = Chip{};
    chip.lines = lines;
  }
  chips_[kMaster].level_capable = kMasterLevelCapable;
  chips_[kSlave].level_capable = kSlaveLevelCapable;
  update();
}

void I8259::set_irq(unsigned line, bool level) {
  if (line >= kLines || line == kCascadeLine) return;
  chips_[line >> 3].set_line(line & 7, level);
  update();
}

void I8259::acknowledge_chip(unsigned chip, unsigned line) {
  chips_[chip].acknowledge(line);
  // The INT output of the slave falls with its acknowledge, so that a request that still waits
  // makes a new edge at the master.
  if (chip == kSlave) chips_[kMaster].set_line(kCascadeLine, false);
}

u8 I8259::acknowledge() {
  const Chip& master = chips_[kMaster];
  const Chip& slave = chips_[kSlave];
  const int line = winner(kMaster);
  u8 vector = master.vector_base + kSpuriousLine;
  if (line >= 0) {
    vector = static_cast<u8>(master.vector_base + line);
    const bool from_slave = line == kCascadeLine && has_cascade(kMaster);
    const int slave_line = from_slave ? winner(kSlave) : -1;
    acknowledge_chip(kMaster, static_cast<unsigned>(line));
    if (slave_line >= 0) {
      acknowledge_chip(kSlave, static_cast<unsigned>(slave_line));
      vector = static_cast<u8>(slave.vector_base + slave_line);
    } else if (from_slave) {
      vector = slave.vector_base + kSpuriousLine;
    }
  }
  update();
  return vector;
}

// The poll command turns the next read into an acknowledge of that chip alone.
u8 I8259::poll(unsigned chip) {
  chips_[chip].poll = false;
  const int line = winner(chip);
  if (line < 0) return 0;
  acknowledge_chip(chip, static_cast<unsigned>(line));
  update();
  return static_cast<u8>(kPollRequest | line);
}

u8 I8259::read_chip(unsigned chip, bool odd) {
  const Chip& self = chips_[chip];
  if (self.poll) return poll(chip);
  if (odd) return self.mask;
  return self.read_in_service ? self.in_service : self.requests();
}

void I8259::write_chip(unsigned chip, bool odd, u8 value) {
  Chip& self = chips_[chip];
  if (odd) {
    if (self.init_step == InitStep::kDone) {
      self.mask = value;
    } else {
      self.write_init_word(value);
    }
  } else if (value & kIcw1Marker) {
    self.begin_init(value);
    if (chip == kSlave) chips_[kMaster].set_line(kCascadeLine, false);
  } else if (value & kOcw3Marker) {
    self.write_ocw3(value);
  } else {
    self.write_ocw2(value);
  }
  update();
}

u8 I8259::read_byte(u16 port) {
  switch (port & ~1) {
    case kMasterPort:
      return read_chip(kMaster, port & 1);
    case kSlavePort:
      return read_chip(kSlave, port & 1);
    case kElcrPort:
      return chips_[port & 1].level_triggered;
    default:
      return 0xff;
  }
}

void I8259::write_byte(u16 port, u8 value) {
  switch (port & ~1) {
    case kMasterPort:
      return write_chip(kMaster, port & 1, value);
    case kSlavePort:
      return write_chip(kSlave, port & 1, value);
    case kElcrPort: {
      Chip& chip = chips_[port & 1];
      chip.level_triggered = value & chip.level_capable;
      return update();
    }
    default:
      return;
  }
}

u32 I8259::port_read(u16 port, unsigned size) {
  u32 value = 0;
  for (unsigned i = 0; i < size && i < 4; ++i) {
    value |= u32{read_byte(static_cast<u16>(port + i))} << (8 * i);
  }
  return value;
}

void I8259::port_write(u16 port, u32 value, unsigned size) {
  for (unsigned i = 0; i < size && i < 4; ++i) {
    write_byte(static_cast<u16>(port + i), static_cast<u8>(value >> (8 * i)));
  }
}

void I8259::update() {
  if (has_cascade(kMaster)) chips_[kMaster].set_line(kCascadeLine, winner(kSlave) >= 0);
  const bool level = winner(kMaster) >= 0;
  if (level == intr_level_) return;
  intr_level_ = level;
  if (intr_) intr_(level);
}

}  // namespace softvt
