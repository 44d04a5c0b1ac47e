#include "devices/cmos.h"

#include <algorithm>
#include <utility>

#include "machine/platform.h"

namespace softvt {
namespace {

enum Register : u8 {
  kSeconds = 0x00,
  kSecondsAlarm = 0x01,
  kMinutes = 0x02,
  kMinutesAlarm = 0x03,
  kHours = 0x04,
  kHoursAlarm = 0x05,
  kDayOfWeek = 0x06,
  kDayOfMonth = 0x07,
  kMonth = 0x08,
  kYear = 0x09,
  kRegA = 0x0a,
  kRegB = 0x0b,
  kRegC = 0x0c,
  kRegD = 0x0d,
  kEquipment = 0x14,
  kBaseMemory = 0x15,
  kExtendedMemory = 0x17,
  kExtendedMemoryFound = 0x30,
  kMemoryAbove16M = 0x34,
  kMemoryAbove4G = 0x5b
};

enum RegA : u8 {
  kARate = 0x0f,
  kADivider = 0x70,
  kADividerRun = 0x20,  // the 32.768 kHz time base
  kADividerReset = 0x60,
  kAUpdateInProgress = 0x80
};
enum RegB : u8 {
  kB24Hour = 0x02,
  kBBinary = 0x04,
  kBUpdateIrq = 0x10,
  kBAlarmIrq = 0x20,
  kBPeriodicIrq = 0x40,
  kBSet = 0x80
};
// The flags of C stand at the bits of their enables in B.
enum RegC : u8 { kCUpdate = 0x10, kCAlarm = 0x20, kCPeriodic = 0x40, kCRequest = 0x80 };

constexpr u8 kFlagMask = kCUpdate | kCAlarm | kCPeriodic;
constexpr u8 kDValid = 0x80;
constexpr u8 kPm = 0x80;
constexpr u8 kAlarmDontCare = 0xc0;
constexpr u8 kEquipmentFpu = 0x02;
constexpr u64 kSecond = 1000000000;
constexpr u64 kUpdateWarning = 244000;  // UIP rises this long before the update
constexpr u64 kFirstUpdateAfterReset = kSecond / 2;
constexpr u64 kOscillatorHz = 32768;
constexpr u32 kSecondsPerDay = 86400;

struct Date {
  i64 year;
  u32 month;
  u32 day;
};

// Days from 1970-01-01 in the proleptic Gregorian calendar; years count from March so that the
// leap day comes last.
i64 days_from_date(const Date& date) {
  const i64 year = date.month <= 2 ? date.year - 1 : date.year;
  const i64 month = (date.month + 9) % 12;
  const i64 era = (year >= 0 ? year : year - 399) / 400;
  const i64 year_of_era = year - era * 400;
  const i64 day_of_year = (153 * month + 2) / 5 + date.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

Date date_from_days(i64 days) {
  days += 719468;
  const i64 era = (days >= 0 ? days : days - 146096) / 146097;
  const i64 day_of_era = days - era * 146097;
  const i64 year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const i64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const i64 month = (5 * day_of_year + 2) / 153;
  Date date;
  date.day = static_cast<u32>(day_of_year - (153 * month + 2) / 5 + 1);
  date.month = static_cast<u32>(month < 10 ? month + 3 : month - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

i64 floor_divide(i64 value, i64 by) { return value / by - (value % by < 0 ? 1 : 0); }

}  // namespace

Cmos::Cmos(Timeline& timeline, IrqLine irq, const CmosConfig& config)
    : timeline_(timeline),
      irq_(std::move(irq)),
      timer_(timeline, [this] { settle(); }),
      origin_(timeline.now()),
      base_time_(config.start_date) {
  ram_[kRegA] = kADividerRun | 0x06;  // 1024 Hz, as firmware leaves it
  ram_[kRegB] = kB24Hour;
  ram_[kEquipment] = kEquipmentFpu;
  store_memory_size(config);
  load_time_registers();
}

void Cmos::reset() {
  catch_up();
  ram_[kRegB] &= static_cast<u8>(~(kBUpdateIrq | kBAlarmIrq | kBPeriodicIrq));
  ram_[kRegC] = 0;
  index_ = 0;
  settle();
}

void Cmos::store_memory_size(const CmosConfig& config) {
  constexpr u64 kKib = 1024;
  constexpr u64 kMib = 1024 * kKib;
  const auto store = [this](u8 index, u64 value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) ram_[index + i] = static_cast<u8>(value >> (8 * i));
  };
  const auto above = [&config](u64 start, u64 unit) {
    return config.ram_below_4g > start ? (config.ram_below_4g - start) / unit : 0;
  };
  const u64 extended = std::min<u64>(above(kMib, kKib), 0xffff);
  store(kBaseMemory, std::min<u64>(config.ram_below_4g / kKib, 640), 2);
  store(kExtendedMemory, extended, 2);
  store(kExtendedMemoryFound, extended, 2);
  store(kMemoryAbove16M, std::min<u64>(above(16 * kMib, 64 * kKib), 0xffff), 2);
  store(kMemoryAbove4G, std::min<u64>(config.ram_above_4g / (64 * kKib), 0xffffff), 3);
}

u8 Cmos::read_byte(u16 port) {
  return port == platform::kCmosData ? read_register(index_) : kOpenBus;
}

void Cmos::write_byte(u16 port, u8 value) {
  // Bit 7 of the index masks NMI; no NMI source of this board goes through that gate.
  if (port == platform::kCmosIndex) index_ = value & (kSize - 1);
  if (port == platform::kCmosData) write_register(index_, value);
}

u8 Cmos::read_register(u8 index) {
  switch (index) {
    case kRegA:
      return static_cast<u8>(ram_[kRegA] | (update_in_progress() ? kAUpdateInProgress : 0));
    case kRegC:
      return read_c();
    case kRegD:
      return kDValid;
    default:
      if (index <= kYear || index == platform::kCmosCentury) load_time_registers();
      return ram_[index];
  }
}

void Cmos::write_register(u8 index, u8 value) {
  catch_up();
  switch (index) {
    case kRegA:
      write_a(value);
      break;
    case kRegB:
      write_b(value);
      break;
    case kRegC:
    case kRegD:
      break;
    case kSeconds:
    case kMinutes:
    case kHours:
    case kDayOfMonth:
    case kMonth:
    case kYear:
    case platform::kCmosCentury:
      load_time_registers();
      ram_[index] = value;
      if (updating()) set_time(time_from_registers());
      break;
    default:
      ram_[index] = value;
      break;
  }
  settle();
}

void Cmos::write_a(u8 value) {
  const bool was_running = divider_running();
  const bool was_updating = updating();
  if (was_updating) load_time_registers();
  ram_[kRegA] = value & (kARate | kADivider);
  if (!was_running && divider_running()) {
    // Data sheet, "Divider control": the first update comes half a second after the release.
    origin_ = timeline_.now() - kFirstUpdateAfterReset;
    seen_phase_ = kFirstUpdateAfterReset;
  }
  if (!was_updating && updating()) set_time(time_from_registers());
}

void Cmos::write_b(u8 value) {
  const bool was_updating = updating();
  if (was_updating) load_time_registers();
  if ((value & kBSet) != 0) value &= static_cast<u8>(~kBUpdateIrq);
  ram_[kRegB] = value;
  if (!was_updating && updating()) {
    set_time(time_from_registers());
  } else if (was_updating && updating()) {
    load_time_registers();  // in the new number format
  }
}

u8 Cmos::read_c() {
  catch_up();
  u8 value = ram_[kRegC];
  if ((value & ram_[kRegB] & kFlagMask) != 0) value |= kCRequest;
  ram_[kRegC] = 0;
  settle();
  return value;
}

bool Cmos::divider_running() const {
  return (ram_[kRegA] & kADivider & kADividerReset) != kADividerReset;
}
bool Cmos::updating() const { return divider_running() && (ram_[kRegB] & kBSet) == 0; }

bool Cmos::update_in_progress() const {
  return updating() && (timeline_.now() - origin_) % kSecond >= kSecond - kUpdateWarning;
}

u64 Cmos::elapsed_seconds() const { return (timeline_.now() - origin_) / kSecond; }

i64 Cmos::current_time() const { return base_time_ + static_cast<i64>(elapsed_seconds()); }

// Makes `unix_time` the second that is running now, without moving the borders of seconds.
void Cmos::set_time(i64 unix_time) { base_time_ = unix_time - static_cast<i64>(elapsed_seconds()); }

u8 Cmos::encode(u32 value) const {
  if ((ram_[kRegB] & kBBinary) != 0) return static_cast<u8>(value);
  return static_cast<u8>((value / 10 % 10) << 4 | value % 10);
}

u32 Cmos::decode(u8 raw) const {
  if ((ram_[kRegB] & kBBinary) != 0) return raw;
  return (raw >> 4) * 10u + (raw & 0x0f);
}

u8 Cmos::encode_hour(u32 hour) const {
  if ((ram_[kRegB] & kB24Hour) != 0) return encode(hour);
  const u8 raw = encode(hour % 12 == 0 ? 12 : hour % 12);
  return static_cast<u8>(hour >= 12 ? raw | kPm : raw);
}

u32 Cmos::decode_hour(u8 raw) const {
  if ((ram_[kRegB] & kB24Hour) != 0) return decode(raw);
  return decode(raw & static_cast<u8>(~kPm)) % 12 + ((raw & kPm) != 0 ? 12 : 0);
}

// Writes the running time into the registers; they stand still while updates are off.
void Cmos::load_time_registers() {
  if (!updating()) return;
  const i64 time = current_time();
  const i64 days = floor_divide(time, kSecondsPerDay);
  const u32 second = static_cast<u32>(time - days * kSecondsPerDay);
  const Date date = date_from_days(days);
  const u32 century = static_cast<u32>(floor_divide(date.year, 100) % 100 + 100) % 100;
  ram_[kSeconds] = encode(second % 60);
  ram_[kMinutes] = encode(second / 60 % 60);
  ram_[kHours] = encode_hour(second / 3600);
  // 1970-01-01 was a Thursday; Sunday counts as 1.
  ram_[kDayOfWeek] = encode(static_cast<u32>(((days + 4) % 7 + 7) % 7 + 1));
  ram_[kDayOfMonth] = encode(date.day);
  ram_[kMonth] = encode(date.month);
  ram_[kYear] = encode(static_cast<u32>(date.year - floor_divide(date.year, 100) * 100));
  ram_[platform::kCmosCentury] = encode(century);
}

// Values outside the calendar are brought into it, so a guest cannot set an impossible date.
i64 Cmos::time_from_registers() const {
  Date date;
  date.year = i64{decode(ram_[platform::kCmosCentury])} * 100 + decode(ram_[kYear]);
  date.month = std::clamp<u32>(decode(ram_[kMonth]), 1, 12);
  date.day = std::clamp<u32>(decode(ram_[kDayOfMonth]), 1, 31);
  return days_from_date(date) * kSecondsPerDay + i64{decode_hour(ram_[kHours])} * 3600 +
         i64{decode(ram_[kMinutes])} * 60 + decode(ram_[kSeconds]);
}

// The period in oscillator cycles as a power of two. The two fastest codes of this time base stand
// for 256 Hz and 128 Hz (data sheet, table 5).
u32 Cmos::periodic_shift() const {
  const u32 rate = ram_[kRegA] & kARate;
  return rate <= 2 ? rate + 6 : rate - 1;
}

u64 Cmos::periods_until(u64 phase_ns) const {
  return static_cast<u64>(u128{phase_ns} * kOscillatorHz / kSecond) >> periodic_shift();
}

bool Cmos::alarm_matches(u8 raw, u32 decoded, u32 value) const {
  return (raw & kAlarmDontCare) == kAlarmDontCare || decoded == value;
}

// Seconds from `second_of_day` to the next later one at which the alarm goes off; 0 for never.
u64 Cmos::seconds_to_alarm(u32 second_of_day) const {
  const u32 limit = second_of_day + kSecondsPerDay;
  u32 at = second_of_day + 1;
  while (at <= limit) {
    const u8 hour = ram_[kHoursAlarm];
    const u8 minute = ram_[kMinutesAlarm];
    const u8 second = ram_[kSecondsAlarm];
    if (!alarm_matches(hour, decode_hour(hour), at / 3600 % 24)) {
      at = (at / 3600 + 1) * 3600;
    } else if (!alarm_matches(minute, decode(minute), at / 60 % 60)) {
      at = (at / 60 + 1) * 60;
    } else if (!alarm_matches(second, decode(second), at % 60)) {
      ++at;
    } else {
      return at - second_of_day;
    }
  }
  return 0;
}

// Sets the flags of everything that happened since the last look.
void Cmos::catch_up() {
  const u64 phase = timeline_.now() - origin_;
  const u64 before = std::exchange(seen_phase_, phase);
  if (!divider_running()) return;
  if ((ram_[kRegA] & kARate) != 0 && periods_until(phase) != periods_until(before)) {
    ram_[kRegC] |= kCPeriodic;
  }
  const u64 seconds = phase / kSecond - before / kSecond;
  if (!updating() || seconds == 0) return;
  ram_[kRegC] |= kCUpdate;
  const i64 then = base_time_ + static_cast<i64>(before / kSecond);
  const i64 second_of_day = then - floor_divide(then, kSecondsPerDay) * kSecondsPerDay;
  const u64 alarm = seconds_to_alarm(static_cast<u32>(second_of_day));
  if (alarm != 0 && alarm <= seconds) ram_[kRegC] |= kCAlarm;
}

// Brings flags, interrupt line and timer into agreement with the registers.
void Cmos::settle() {
  catch_up();
  const bool level = (ram_[kRegC] & ram_[kRegB] & kFlagMask) != 0;
  if (level != line_) {
    line_ = level;
    if (irq_) irq_(level);
  }
  rearm();
}

void Cmos::rearm() {
  timer_.cancel();
  if (!divider_running()) return;
  const u8 wanted = static_cast<u8>(ram_[kRegB] & ~ram_[kRegC]);
  const u64 phase = timeline_.now() - origin_;
  u64 next = kNever;
  if ((wanted & kBPeriodicIrq) != 0 && (ram_[kRegA] & kARate) != 0) {
    const u128 cycles = u128{periods_until(phase) + 1} << periodic_shift();
    next = static_cast<u64>((cycles * kSecond + kOscillatorHz - 1) / kOscillatorHz);
  }
  if (updating()) {
    const u64 second = phase / kSecond;
    if ((wanted & kBUpdateIrq) != 0) next = std::min(next, (second + 1) * kSecond);
    if ((wanted & kBAlarmIrq) != 0) {
      const i64 time = current_time();
      const i64 of_day = time - floor_divide(time, kSecondsPerDay) * kSecondsPerDay;
      const u64 alarm = seconds_to_alarm(static_cast<u32>(of_day));
      if (alarm != 0) next = std::min(next, (second + alarm) * kSecond);
    }
  }
  if (next != kNever) timer_.arm(timeline_.now() + (next - phase));
}

}  // namespace softvt
