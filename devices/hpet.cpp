#include "devices/hpet.h"

namespace softvt {
namespace {

// HPET 1.0a 2.3.3 "Register Overview".
constexpr u64 kCapabilities = 0x000;
constexpr u64 kGeneralConfig = 0x010;
constexpr u64 kInterruptStatus = 0x020;
constexpr u64 kMainCounter = 0x0f0;
constexpr u64 kFirstTimer = 0x100;
constexpr u64 kTimerStride = 0x20;
constexpr u64 kTimerConfig = 0x00;
constexpr u64 kTimerComparator = 0x08;
constexpr u64 kTimerFsbRoute = 0x10;

constexpr u64 kFemtosPerTick = Hpet::kNanosPerTick * 1'000'000;
constexpr u64 kCapabilityValue = (kFemtosPerTick << 32) | (u64{0x8086} << 16) | (1u << 15) |
                                 (1u << 13) | ((Hpet::kTimers - 1) << 8) | 0x01;

constexpr u64 kEnable = 0x1;
constexpr u64 kLegacyRoute = 0x2;

// HPET 1.0a 2.3.8 "Timer n Configuration and Capabilities Register".
constexpr u64 kLevel = u64{1} << 1;
constexpr u64 kInterruptEnable = u64{1} << 2;
constexpr u64 kPeriodic = u64{1} << 3;
constexpr u64 kPeriodicCapable = u64{1} << 4;
constexpr u64 kSize64 = u64{1} << 5;
constexpr u64 kValueSet = u64{1} << 6;
constexpr u64 k32BitMode = u64{1} << 8;
constexpr unsigned kRouteShift = 9;
constexpr u64 kRouteMask = u64{0x1f} << kRouteShift;
constexpr u64 kTimerWritable =
    kLevel | kInterruptEnable | kPeriodic | kValueSet | k32BitMode | kRouteMask;

// I/O APIC pins that a timer can be routed to, as in the ICH.
constexpr std::array<u32, Hpet::kTimers> kRouteCapability = {0x00f00000, 0x00f00000, 0x00f00800};

// Routes below 32 are pins of the I/O APIC; these two are the legacy lines.
constexpr unsigned kRouteIrq0 = 32;
constexpr unsigned kRouteIrq8 = 33;

constexpr u64 timer_capabilities(unsigned index) {
  return (u64{kRouteCapability[index]} << 32) | kPeriodicCapable | kSize64;
}

}  // namespace

Hpet::Hpet(Timeline& timeline, HpetLines lines) : timeline_(timeline), lines_(std::move(lines)) {
  for (unsigned i = 0; i < kTimers; ++i) {
    timers_[i].timer = std::make_unique<Timeline::Timer>(timeline, [this, i] { match(i); });
  }
  reset();
}

void Hpet::reset() {
  for (unsigned i = 0; i < kTimers; ++i) {
    set_line(i, false);
    Comparator& timer = timers_[i];
    timer.timer->cancel();
    timer.config = 0;
    timer.match = ~u64{0};
    timer.period = 0;
    timer.fsb_route = 0;
    timer.matched_at = kNever;
  }
  if (legacy() && lines_.legacy_route) lines_.legacy_route(false);
  config_ = 0;
  status_ = 0;
  counter_base_ = 0;
  started_at_ = 0;
}

bool Hpet::legacy() const { return (config_ & kLegacyRoute) != 0; }
bool Hpet::enabled() const { return (config_ & kEnable) != 0; }

u64 Hpet::counter() const {
  if (!enabled()) return counter_base_;
  return counter_base_ + (timeline_.now() - started_at_) / kNanosPerTick;
}

u64 Hpet::mask_of(unsigned index) const {
  return timers_[index].config & k32BitMode ? 0xffff'ffff : ~u64{0};
}

// Ticks until the counter meets the comparator; a full turn if it has just met it.
u64 Hpet::ticks_to_match(unsigned index) const {
  const Comparator& timer = timers_[index];
  const u64 now = counter();
  const u64 mask = mask_of(index);
  const u64 distance = (timer.match - now) & mask;
  if (distance != 0 || timer.matched_at != now) return distance;
  return mask == ~u64{0} ? kNever : mask + 1;
}

void Hpet::arm(unsigned index) {
  Comparator& timer = timers_[index];
  timer.timer->cancel();
  if (!enabled()) return;
  const u64 ticks = ticks_to_match(index);
  const u64 now = timeline_.now();
  // Ticks begin at multiples of 10 ns since the counter was started.
  const u64 tick_began = now - (now - started_at_) % kNanosPerTick;
  if (ticks >= (kNever - tick_began) / kNanosPerTick) return;
  const u64 date = tick_began + ticks * kNanosPerTick;
  timer.timer->arm(date > now ? date : now);
}

void Hpet::arm_all() {
  for (unsigned i = 0; i < kTimers; ++i) arm(i);
}

// Moves a periodic comparator past the present time. A period below the least one is stretched to
// a multiple of itself.
void Hpet::advance(unsigned index) {
  Comparator& timer = timers_[index];
  const u64 mask = mask_of(index);
  const u64 period = timer.period & mask;
  if (!(timer.config & kPeriodic) || period == 0) return;
  u64 step = period;
  if (step < kMinPeriodTicks) step *= (kMinPeriodTicks + step - 1) / step;
  const u64 late = (counter() - timer.match) & mask;
  // A comparator that is ahead of the counter needs no catching up.
  const u64 missed = late <= mask / 2 ? late / step : 0;
  timer.match = (timer.match + step * (missed + 1)) & mask;
}

void Hpet::match(unsigned index) {
  Comparator& timer = timers_[index];
  timer.matched_at = counter();
  if (timer.config & kLevel) {
    status_ |= u64{1} << index;
    update_level_line(index);
  } else if (timer.config & kInterruptEnable) {
    set_line(index, false);
    set_line(index, true);
  }
  advance(index);
  arm(index);
}

unsigned Hpet::route(unsigned index) const {
  if (legacy() && index == 0) return kRouteIrq0;
  if (legacy() && index == 1) return kRouteIrq8;
  return static_cast<unsigned>((timers_[index].config & kRouteMask) >> kRouteShift);
}

void Hpet::drive(unsigned route, bool level) {
  if (route == kRouteIrq0) {
    if (lines_.legacy_irq0) lines_.legacy_irq0(level);
  } else if (route == kRouteIrq8) {
    if (lines_.legacy_irq8) lines_.legacy_irq8(level);
  } else if (lines_.ioapic_pin) {
    lines_.ioapic_pin(route, level);
  }
}

void Hpet::set_line(unsigned index, bool level) {
  Comparator& timer = timers_[index];
  if (timer.line) {
    if (level && timer.line_route == route(index)) return;
    drive(timer.line_route, false);
  }
  timer.line = level;
  timer.line_route = route(index);
  if (!level) return;
  // A route outside the capability mask is wired to nothing.
  const bool wired =
      timer.line_route >= kRouteIrq0 || ((kRouteCapability[index] >> timer.line_route) & 1) != 0;
  timer.line = wired;
  if (wired) drive(timer.line_route, true);
}

void Hpet::update_level_line(unsigned index) {
  const bool wanted = enabled() && (timers_[index].config & kInterruptEnable) != 0 &&
                      (timers_[index].config & kLevel) != 0 && ((status_ >> index) & 1) != 0;
  set_line(index, wanted);
}

void Hpet::write_general_config(u64 value) {
  value &= kEnable | kLegacyRoute;
  const bool was_enabled = enabled();
  const bool was_legacy = legacy();
  const u64 count = counter();
  for (unsigned i = 0; i < kTimers; ++i) set_line(i, false);
  config_ = value;
  if (was_enabled != enabled()) {
    counter_base_ = count;
    started_at_ = timeline_.now();
    for (Comparator& timer : timers_) timer.matched_at = kNever;
  }
  if (was_legacy != legacy() && lines_.legacy_route) lines_.legacy_route(legacy());
  for (unsigned i = 0; i < kTimers; ++i) update_level_line(i);
  arm_all();
}

void Hpet::write_status(u64 value) {
  status_ &= ~value;
  for (unsigned i = 0; i < kTimers; ++i) {
    if (timers_[i].config & kLevel) update_level_line(i);
  }
}

void Hpet::write_timer_config(unsigned index, u64 value) {
  Comparator& timer = timers_[index];
  const u64 wanted_route = (value & kRouteMask) >> kRouteShift;
  // Software finds an impossible route by reading back what it wrote (HPET 1.0a 2.3.8).
  if (!((kRouteCapability[index] >> wanted_route) & 1)) {
    value = (value & ~kRouteMask) | (timer.config & kRouteMask);
  }
  set_line(index, false);
  const bool was_level = (timer.config & kLevel) != 0;
  timer.config = value & kTimerWritable;
  if (timer.config & k32BitMode) {
    timer.match &= 0xffff'ffff;
    timer.period &= 0xffff'ffff;
  }
  if (was_level && !(timer.config & kLevel)) status_ &= ~(u64{1} << index);
  update_level_line(index);
  arm(index);
}

// HPET 1.0a 2.3.9.2 "Periodic mode": with the value-set bit a write reaches the accumulator too.
void Hpet::write_comparator(unsigned index, u64 value) {
  Comparator& timer = timers_[index];
  value &= mask_of(index);
  const bool periodic = (timer.config & kPeriodic) != 0;
  if (!periodic || (timer.config & kValueSet)) timer.match = value;
  if (periodic) timer.period = value;
  timer.config &= ~kValueSet;
  timer.matched_at = kNever;
  arm(index);
}

u64 Hpet::read_register(u64 offset) const {
  switch (offset) {
    case kCapabilities:
      return kCapabilityValue;
    case kGeneralConfig:
      return config_;
    case kInterruptStatus:
      return status_;
    case kMainCounter:
      return counter();
    default:
      break;
  }
  const u64 index = (offset - kFirstTimer) / kTimerStride;
  if (offset < kFirstTimer || index >= kTimers) return 0;
  const Comparator& timer = timers_[index];
  switch (offset % kTimerStride) {
    case kTimerConfig:
      return (timer.config & ~kValueSet) | timer_capabilities(static_cast<unsigned>(index));
    case kTimerComparator:
      return timer.match;
    case kTimerFsbRoute:
      return timer.fsb_route;
    default:
      return 0;
  }
}

// `value` is the whole register after the write, `written` only the bits that the access carried.
void Hpet::write_register(u64 offset, u64 value, u64 written) {
  switch (offset) {
    case kGeneralConfig:
      return write_general_config(value);
    case kInterruptStatus:
      return write_status(written);
    case kMainCounter:
      // Only a halted counter can be written (HPET 1.0a 2.3.7).
      if (!enabled()) counter_base_ = value;
      return;
    default:
      break;
  }
  const u64 index64 = (offset - kFirstTimer) / kTimerStride;
  if (offset < kFirstTimer || index64 >= kTimers) return;
  const unsigned index = static_cast<unsigned>(index64);
  switch (offset % kTimerStride) {
    case kTimerConfig:
      return write_timer_config(index, value);
    case kTimerComparator:
      return write_comparator(index, value);
    case kTimerFsbRoute:
      timers_[index].fsb_route = value;
      return;
    default:
      return;
  }
}

u64 Hpet::mmio_read(u64 offset, unsigned size) {
  if (offset >= kSize || size == 0 || size > 8) return 0;
  const u64 value = read_register(offset & ~u64{7}) >> (8 * (offset & 7));
  return size == 8 ? value : value & ((u64{1} << (8 * size)) - 1);
}

// The registers take aligned accesses of 4 and 8 bytes (HPET 1.0a 2.3.2).
void Hpet::mmio_write(u64 offset, u64 value, unsigned size) {
  if (offset >= kSize || (size != 4 && size != 8) || offset % size != 0) return;
  const u64 aligned = offset & ~u64{7};
  if (size == 8) return write_register(aligned, value, value);
  const unsigned shift = offset & 4 ? 32 : 0;
  const u64 mask = u64{0xffff'ffff} << shift;
  const u64 written = (value << shift) & mask;
  write_register(aligned, (read_register(aligned) & ~mask) | written, written);
}

}  // namespace softvt
