// The timer of a local APIC: one-shot, periodic and TSC-deadline (SDM 3A 11.5.4 "APIC Timer").
#pragma once
#include <functional>

#include "cpu/timeline.h"

namespace softvt {

// The APIC timer counts virtual nanoseconds, the TSC counts two a nanosecond.
constexpr u64 kApicBusKhz = 1'000'000;
constexpr u64 kTscKhz = 2'000'000;
constexpr u64 kNanosPerApicTick = 1'000'000 / kApicBusKhz;
constexpr u64 kTscTicksPerNano = kTscKhz / 1'000'000;

// Shorter periods are stretched to a multiple of themselves: the guest must not starve the host.
constexpr u64 kMinApicPeriodNanos = 1000;

enum class ApicTimerMode : u8 { kOneShot = 0, kPeriodic = 1, kTscDeadline = 2, kReserved = 3 };

class ApicTimer {
 public:
  ApicTimer(Timeline& timeline, std::function<u64()> tsc, std::function<void()> expired);

  void reset();
  void set_mode(ApicTimerMode mode);
  void set_divide(u32 divide_configuration);
  void set_initial_count(u32 count);
  u32 initial_count() const { return initial_; }
  u32 current_count() const;

  u64 tsc_deadline() const { return deadline_; }
  void set_tsc_deadline(u64 deadline);
  // The TSC of the vcpu was written or its offset changed.
  void tsc_changed();

 private:
  u64 period() const { return u64{initial_} * divide_ * kNanosPerApicTick; }
  u32 count_at(u64 now) const;
  void stop();
  void arm();
  void arm_deadline();
  void fire();

  Timeline& timeline_;
  std::function<u64()> tsc_;
  std::function<void()> expired_;
  ApicTimerMode mode_ = ApicTimerMode::kOneShot;
  u32 divide_ = 2;
  u32 initial_ = 0;
  u64 expiry_ = kNever;  // when the count reaches zero; in periodic mode maybe passed already
  u64 deadline_ = 0;     // IA32_TSC_DEADLINE, 0 if disarmed
  Timeline::Timer timer_;
};

}  // namespace softvt
