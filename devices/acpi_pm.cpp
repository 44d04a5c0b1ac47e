#include "devices/acpi_pm.h"

#include <utility>

namespace softvt {
namespace {

// ACPI 6.4, tables 4.11 to 4.13.
enum Pm1Event : u16 {
  kTimerEvent = 1 << 0,
  kGlobalEvent = 1 << 5,
  kPowerButton = 1 << 8,
  kSleepButton = 1 << 9,
  kRtcEvent = 1 << 10,
  kWake = 1 << 15
};
constexpr u16 kEnableMask = kTimerEvent | kGlobalEvent | kPowerButton | kSleepButton | kRtcEvent;

enum Pm1Control : u16 {
  kSciEnable = 1 << 0,
  kBusMasterReload = 1 << 1,
  kSleepTypeMask = 7 << 10,
  kSleepEnable = 1 << 13
};
constexpr unsigned kSleepTypeShift = 10;
constexpr u64 kNanosPerSecond = 1000000000;
constexpr unsigned kGpeEnableFirst = platform::kGpe0Ports / 2;

void set_byte(u16& word, unsigned byte, u8 value) {
  word = static_cast<u16>((word & ~(0xff << (8 * byte))) | value << (8 * byte));
}

}  // namespace

AcpiPm::AcpiPm(Timeline& timeline, IrqLine sci, std::function<void()> power_off, bool timer_32bit)
    : timeline_(timeline),
      sci_(std::move(sci)),
      power_off_(std::move(power_off)),
      timer_32bit_(timer_32bit),
      timer_(timeline, [this] { settle(); }) {}

void AcpiPm::reset() {
  status_ = enable_ = control_ = 0;
  gpe_enable_ = 0;
  smi_command_ = smi_status_ = 0;
  seen_ticks_ = ticks();
  settle();
}

void AcpiPm::press_power_button() {
  status_ |= kPowerButton;
  settle();
}

u64 AcpiPm::ticks() const {
  return static_cast<u64>(u128{timeline_.now()} * platform::kPmTimerHz / kNanosPerSecond);
}

u8 AcpiPm::read_byte(u16 port) {
  catch_up();
  switch (port) {
    case platform::kPm1Event:
      return static_cast<u8>(status_);
    case platform::kPm1Event + 1:
      return static_cast<u8>(status_ >> 8);
    case platform::kPm1Event + 2:
      return static_cast<u8>(enable_);
    case platform::kPm1Event + 3:
      return static_cast<u8>(enable_ >> 8);
    case platform::kPm1Control:
      return static_cast<u8>(control_);
    case platform::kPm1Control + 1:
      return static_cast<u8>(control_ >> 8);
    case platform::kSmiCommand:
      return smi_command_;
    case platform::kSmiStatus:
      return smi_status_;
    default:
      break;
  }
  const unsigned timer_byte = static_cast<u16>(port - platform::kPmTimer);
  if (timer_byte < platform::kPmTimerPorts) {
    const u32 value = static_cast<u32>(ticks() & (2 * half_period() - 1));
    return static_cast<u8>(value >> (8 * timer_byte));
  }
  const unsigned gpe_byte = static_cast<u16>(port - platform::kGpe0);
  return gpe_byte < platform::kGpe0Ports ? read_gpe(gpe_byte) : u8{0};
}

// No general-purpose event exists: status is 0, the enables are memory.
u8 AcpiPm::read_gpe(unsigned index) const {
  if (index < kGpeEnableFirst) return 0;
  return static_cast<u8>(gpe_enable_ >> (8 * (index - kGpeEnableFirst)));
}

void AcpiPm::write_byte(u16 port, u8 value) {
  catch_up();
  switch (port) {
    case platform::kPm1Event:
    case platform::kPm1Event + 1:  // status bits are cleared by writing 1
      status_ &= static_cast<u16>(~(value << (8 * (port - platform::kPm1Event))));
      break;
    case platform::kPm1Event + 2:
    case platform::kPm1Event + 3:
      set_byte(enable_, port - platform::kPm1Event - 2, value);
      enable_ &= kEnableMask;
      break;
    case platform::kPm1Control:
      // SCI_EN belongs to the platform: it changes through the SMI command port only.
      control_ = static_cast<u16>((control_ & ~kBusMasterReload) | (value & kBusMasterReload));
      break;
    case platform::kPm1Control + 1:
      write_control_high(value);
      break;
    case platform::kSmiCommand:
      write_smi_command(value);
      break;
    case platform::kSmiStatus:
      smi_status_ = value;
      break;
    default: {
      const unsigned index = static_cast<u16>(port - platform::kGpe0 - kGpeEnableFirst);
      if (index < platform::kGpe0Ports - kGpeEnableFirst) {
        gpe_enable_ &= ~(u64{0xff} << (8 * index));
        gpe_enable_ |= u64{value} << (8 * index);
      }
      break;
    }
  }
  settle();
}

void AcpiPm::write_control_high(u8 value) {
  const u16 word = static_cast<u16>(value << 8);
  control_ = static_cast<u16>((control_ & ~kSleepTypeMask) | (word & kSleepTypeMask));
  if ((word & kSleepEnable) == 0) return;  // SLP_EN is write-only
  if ((word & kSleepTypeMask) >> kSleepTypeShift == platform::kSleepTypeS5) {
    if (power_off_) power_off_();
  } else {
    status_ |= kWake;  // the board has no other sleep state: it wakes at once
  }
}

void AcpiPm::write_smi_command(u8 value) {
  smi_command_ = value;
  if (value == platform::kSmiAcpiEnable) control_ |= kSciEnable;
  if (value == platform::kSmiAcpiDisable) control_ &= static_cast<u16>(~kSciEnable);
}

// ACPI 6.4, 4.8.3.3: TMR_STS is set whenever the top bit of the timer changes.
void AcpiPm::catch_up() {
  const u64 now = ticks();
  if (now / half_period() != seen_ticks_ / half_period()) status_ |= kTimerEvent;
  seen_ticks_ = now;
}

void AcpiPm::settle() {
  catch_up();
  const bool level = (status_ & enable_) != 0 && (control_ & kSciEnable) != 0;
  if (level != line_) {
    line_ = level;
    if (sci_) sci_(level);
  }
  if ((enable_ & ~status_ & kTimerEvent) != 0) {
    const u64 next = (ticks() / half_period() + 1) * half_period();
    const u128 nanos =
        (u128{next} * kNanosPerSecond + platform::kPmTimerHz - 1) / platform::kPmTimerHz;
    timer_.arm(static_cast<u64>(nanos));
  } else {
    timer_.cancel();
  }
}

}  // namespace softvt
