// The six modes of one 8254 counter (82C54 datasheet, "Mode Definitions").
#include "devices/i8254.h"

namespace softvt {
namespace {

constexpr u8 kStatusOut = 0x80;
constexpr u8 kStatusNullCount = 0x40;

}  // namespace

u32 I8254Counter::decode(u16 raw) const {
  u32 count = raw;
  if (bcd_) {
    count = 0;
    for (int digit = 3; digit >= 0; --digit) count = count * 10 + ((raw >> (4 * digit)) & 0xf);
    count %= modulus();
  }
  if (count == 0) count = modulus();
  // A count of 1 is illegal in the periodic modes; the shortest period stands for it.
  if (count == 1 && periodic()) count = 2;
  return count;
}

u16 I8254Counter::encode(u64 value) const {
  u32 rest = static_cast<u32>(value % modulus());
  if (!bcd_) return static_cast<u16>(rest);
  u32 raw = 0;
  for (int digit = 0; digit < 4; ++digit, rest /= 10) raw |= (rest % 10) << (4 * digit);
  return static_cast<u16>(raw);
}

u64 I8254Counter::elapsed(u64 now) const {
  return running_ && now > start_ ? before_ + (now - start_) : before_;
}

void I8254Counter::start(u64 at) {
  count_ = decode(count_register_);
  reload_waits_ = false;
  loaded_ = true;
  running_ = true;
  before_ = 0;
  start_ = at;
}

void I8254Counter::stop(u64 now) {
  before_ = elapsed(now);
  running_ = false;
}

// Brings a periodic counter to its present period and loads a count that waits for the end of the
// period (mode 2) or of the half period (mode 3).
void I8254Counter::settle(u64 now) {
  if (!periodic() || !running_ || now <= start_) return;
  u64 done = elapsed(now);
  if (reload_waits_) {
    const bool in_first_half = mode_ == Mode::kSquareWave && before_ < high_ticks();
    const u64 boundary = in_first_half ? high_ticks() : count_;
    if (done >= boundary) {
      count_ = decode(count_register_);
      reload_waits_ = false;
      done = done - boundary + (in_first_half ? high_ticks() : 0);
    }
  }
  before_ = done % count_;
  start_ = now;
}

void I8254Counter::write_control(u64 now, u8 control) {
  settle(now);
  stop(now);
  access_ = static_cast<Access>((control >> 4) & 3);
  const u8 mode = (control >> 1) & 7;
  mode_ = static_cast<Mode>(mode > 5 ? mode - 4 : mode);
  bcd_ = (control & 1) != 0;
  programmed_ = false;
  reload_waits_ = false;
  loaded_ = false;
  out_forced_low_ = false;
  write_high_next_ = false;
  read_high_next_ = false;
  count_latched_ = false;
  status_latched_ = false;
  before_ = 0;
}

void I8254Counter::write_count(u64 now, u8 value) {
  settle(now);
  switch (access_) {
    case Access::kLow:
      count_register_ = value;
      break;
    case Access::kHigh:
      count_register_ = static_cast<u16>(value << 8);
      break;
    default:
      if (!write_high_next_) {
        write_high_next_ = true;
        low_written_ = value;
        if (mode_ == Mode::kTerminalCount) {
          // The first byte stops the counter and OUT goes low without a clock pulse.
          stop(now);
          out_forced_low_ = true;
        }
        return;
      }
      write_high_next_ = false;
      count_register_ = static_cast<u16>((value << 8) | low_written_);
      break;
  }
  new_count(now);
}

// A count is loaded by the clock pulse after it was written, unless the mode waits for more.
void I8254Counter::new_count(u64 now) {
  programmed_ = true;
  out_forced_low_ = false;
  const bool waits_for_period = periodic() && loaded_;
  const bool waits_for_trigger = mode_ == Mode::kOneShot || mode_ == Mode::kHardwareStrobe;
  if (waits_for_period || waits_for_trigger) {
    reload_waits_ = true;
    return;
  }
  start(now + 1);
  if (!gate_) stop(now);
}

void I8254Counter::set_gate(u64 now, bool level) {
  if (level == gate_) return;
  settle(now);
  gate_ = level;
  if (!level) {
    // Modes 1 and 5 are triggered by the rising edge only.
    if (mode_ != Mode::kOneShot && mode_ != Mode::kHardwareStrobe) stop(now);
    return;
  }
  if (!programmed_) return;
  if (gate_triggers()) {
    start(now + 1);
  } else if (loaded_ && !out_forced_low_) {
    running_ = true;
    start_ = now;
  }
}

bool I8254Counter::out(u64 now) {
  settle(now);
  const u64 done = elapsed(now);
  switch (mode_) {
    case Mode::kTerminalCount:
      return loaded_ && !out_forced_low_ && done >= count_;
    case Mode::kOneShot:
      return !loaded_ || now < start_ || done >= count_;
    case Mode::kRateGenerator:
      return !running_ || done % count_ != count_ - 1;
    case Mode::kSquareWave:
      return !running_ || done % count_ < high_ticks();
    case Mode::kSoftwareStrobe:
    case Mode::kHardwareStrobe:
      return !loaded_ || done != count_;
  }
  return true;
}

u64 I8254Counter::next_change(u64 now) {
  settle(now);
  if (!running_ || !loaded_) return kNever;
  const u64 from = now > start_ ? now : start_;
  const u64 done = elapsed(from);
  switch (mode_) {
    case Mode::kTerminalCount:
      return done < count_ ? from + (count_ - done) : kNever;
    case Mode::kOneShot:
      if (now < start_) return start_;
      return done < count_ ? from + (count_ - done) : kNever;
    case Mode::kRateGenerator:
      return from + (done % count_ < count_ - 1 ? count_ - 1 - done % count_ : 1);
    case Mode::kSquareWave: {
      const u64 phase = done % count_;
      return from + (phase < high_ticks() ? high_ticks() - phase : count_ - phase);
    }
    case Mode::kSoftwareStrobe:
    case Mode::kHardwareStrobe:
      if (done == count_) return from + 1;
      return done < count_ ? from + (count_ - done) : kNever;
  }
  return kNever;
}

u16 I8254Counter::value(u64 now) {
  settle(now);
  if (!loaded_) return encode(count_);
  const u64 done = elapsed(now);
  switch (mode_) {
    case Mode::kRateGenerator:
      return encode(count_ - done % count_);
    case Mode::kSquareWave: {
      // Counts by two, twice a period; an odd count is loaded without its lowest bit.
      const u64 phase = done % count_;
      const u64 in_half = phase < high_ticks() ? phase : phase - high_ticks();
      return encode((count_ & ~1u) - 2 * in_half);
    }
    default:
      return encode(count_ + modulus() - done % modulus());
  }
}

u8 I8254Counter::status(u64 now) {
  const bool level = out(now);
  const bool null_count = !programmed_ || reload_waits_ || (running_ && now < start_);
  return static_cast<u8>((level ? kStatusOut : 0) | (null_count ? kStatusNullCount : 0) |
                         (static_cast<u8>(access_) << 4) | (static_cast<u8>(mode_) << 1) |
                         (bcd_ ? 1 : 0));
}

void I8254Counter::latch_count(u64 now) {
  if (count_latched_) return;
  count_latched_ = true;
  latched_count_ = value(now);
}

void I8254Counter::latch_status(u64 now) {
  if (status_latched_) return;
  status_latched_ = true;
  latched_status_ = status(now);
}

u8 I8254Counter::read(u64 now) {
  if (status_latched_) {
    status_latched_ = false;
    return latched_status_;
  }
  const u16 count = count_latched_ ? latched_count_ : value(now);
  const u8 low = static_cast<u8>(count);
  const u8 high = static_cast<u8>(count >> 8);
  if (access_ == Access::kLow || access_ == Access::kHigh) {
    count_latched_ = false;
    return access_ == Access::kLow ? low : high;
  }
  const bool reads_high = read_high_next_;
  read_high_next_ = !read_high_next_;
  if (reads_high) count_latched_ = false;
  return reads_high ? high : low;
}

}  // namespace softvt
