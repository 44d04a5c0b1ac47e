#include "devices/i8254.h"

namespace softvt {
namespace {

constexpr u64 kNanosPerSecond = 1'000'000'000;

// Port 0x61 (ICH datasheet, NMI_SC).
constexpr u8 kGate2 = 0x01;
constexpr u8 kSpeakerData = 0x02;
constexpr u8 kRefreshToggle = 0x10;
constexpr u8 kOut2 = 0x20;
constexpr u8 kPort61Writable = 0x0f;
constexpr u64 kRefreshTicks = 18;  // about 15 microseconds

constexpr u8 kReadBackNoCount = 0x20;
constexpr u8 kReadBackNoStatus = 0x10;

// Far more lost periods than a slice of a vcpu can hold need no replay.
constexpr u64 kReplayedPeriods = 4;

u64 date_of_tick(u64 tick) {
  const u128 nanos = (u128{tick} * kNanosPerSecond + I8254::kHz - 1) / I8254::kHz;
  return nanos >= kNever ? kNever : static_cast<u64>(nanos);
}

}  // namespace

I8254::I8254(Timeline& timeline, IrqLine irq0)
    : timeline_(timeline), irq0_(std::move(irq0)), timer_(timeline, [this] {
        run_irq(tick());
        arm(tick());
      }) {
  reset();
}

void I8254::reset() {
  for (I8254Counter& counter : counters_) counter = I8254Counter{};
  counters_[2].set_gate(tick(), false);
  port61_ = 0;
  irq_run_to_ = tick();
  timer_.cancel();
  drive_irq(false);
}

u64 I8254::tick() const { return static_cast<u64>(u128{timeline_.now()} * kHz / kNanosPerSecond); }

void I8254::drive_irq(bool level) {
  if (level == irq_level_) return;
  irq_level_ = level;
  if (irq0_) irq0_(level);
}

// Replays the changes of OUT of counter 0 up to `now`, so that a pulse that began and ended since
// the last look is an edge all the same.
void I8254::run_irq(u64 now) {
  I8254Counter& counter = counters_[0];
  const u64 period = counter.period();
  if (period != 0 && now - irq_run_to_ > kReplayedPeriods * period) {
    irq_run_to_ = now - kReplayedPeriods * period;
  }
  u64 change = counter.next_change(irq_run_to_);
  while (change <= now) {
    irq_run_to_ = change;
    drive_irq(counter.out(change));
    change = counter.next_change(change);
  }
  irq_run_to_ = now;
  drive_irq(counter.out(now));
}

void I8254::arm(u64 now) {
  const u64 change = counters_[0].next_change(now);
  timer_.arm(change == kNever ? kNever : date_of_tick(change));
}

void I8254::write_control(u64 now, u8 value) {
  const unsigned select = value >> 6;
  if (select == 3) {  // read-back command
    for (unsigned i = 0; i < 3; ++i) {
      if (!(value & (2u << i))) continue;
      if (!(value & kReadBackNoCount)) counters_[i].latch_count(now);
      if (!(value & kReadBackNoStatus)) counters_[i].latch_status(now);
    }
  } else if ((value & 0x30) == 0) {
    counters_[select].latch_count(now);
  } else {
    counters_[select].write_control(now, value);
  }
}

u8 I8254::read_port61(u64 now) {
  u8 value = port61_;
  if ((now / kRefreshTicks) & 1) value |= kRefreshToggle;
  if (counters_[2].out(now)) value |= kOut2;
  return value;
}

bool I8254::speaker() { return (port61_ & kSpeakerData) != 0 && counters_[2].out(tick()); }

u8 I8254::read_byte(u16 port) {
  const u64 now = tick();
  run_irq(now);
  if (port == kControlPort) return read_port61(now);
  const unsigned index = static_cast<unsigned>(port) - kPort;
  return index < 3 ? counters_[index].read(now) : 0xff;  // the control word cannot be read
}

void I8254::write_byte(u16 port, u8 value) {
  const u64 now = tick();
  run_irq(now);
  if (port == kControlPort) {
    port61_ = value & kPort61Writable;
    counters_[2].set_gate(now, (value & kGate2) != 0);
    return;
  }
  const unsigned index = static_cast<unsigned>(port) - kPort;
  if (index < 3) {
    counters_[index].write_count(now, value);
  } else if (index == 3) {
    write_control(now, value);
  }
  drive_irq(counters_[0].out(now));
  arm(now);
}

u32 I8254::port_read(u16 port, unsigned size) {
  u32 value = 0;
  for (unsigned i = 0; i < size && i < 4; ++i) {
    value |= u32{read_byte(static_cast<u16>(port + i))} << (8 * i);
  }
  return value;
}

void I8254::port_write(u16 port, u32 value, unsigned size) {
  for (unsigned i = 0; i < size && i < 4; ++i) {
    write_byte(static_cast<u16>(port + i), static_cast<u8>(value >> (8 * i)));
  }
}

}  // namespace softvt
