#include "devices/hpet.h"

#include <gtest/gtest.h>

#include <map>

namespace softvt {
namespace {

constexpr u64 kLevel = 1 << 1;
constexpr u64 kEnableInt = 1 << 2;
constexpr u64 kPeriodic = 1 << 3;
constexpr u64 kValueSet = 1 << 6;
constexpr u64 k32Bit = 1 << 8;
constexpr u64 route(unsigned pin) { return u64{pin} << 9; }

class HpetTest : public ::testing::Test {
 protected:
  static HpetLines lines(HpetTest* test) {
    HpetLines lines;
    lines.ioapic_pin = [test](unsigned pin, bool level) { test->set(pin, level); };
    lines.legacy_irq0 = [test](bool level) { test->set(100, level); };
    lines.legacy_irq8 = [test](bool level) { test->set(108, level); };
    lines.legacy_route = [test](bool on) { test->legacy_ = on; };
    return lines;
  }
  void set(unsigned pin, bool level) {
    if (level && !levels_[pin]) ++rises_[pin];
    levels_[pin] = level;
  }
  void write(u64 offset, u64 value) { hpet_.mmio_write(offset, value, 8); }
  u64 read(u64 offset) { return hpet_.mmio_read(offset, 8); }
  void run_to(u64 nanos) {
    while (timeline_.next_event() <= nanos) {
      timeline_.set_now(timeline_.next_event());
      timeline_.fire_due();
    }
    timeline_.set_now(nanos);
  }

  Timeline timeline_;
  std::map<unsigned, bool> levels_;
  std::map<unsigned, int> rises_;
  bool legacy_ = false;
  Hpet hpet_{timeline_, lines(this)};
};

TEST_F(HpetTest, Capabilities) {
  EXPECT_EQ(read(0) >> 32, 10'000'000u);
  EXPECT_EQ((read(0) >> 8) & 0x1f, 2u);
  EXPECT_EQ(hpet_.mmio_read(4, 4), 10'000'000u);
  write(0, 0);
  EXPECT_NE(read(0), 0u);
  EXPECT_EQ(read(0x100) & 0x30, 0x30u);
}

TEST_F(HpetTest, CounterRunsOnlyWhileEnabled) {
  run_to(1000);
  EXPECT_EQ(read(0xf0), 0u);
  write(0xf0, 500);
  write(0x10, 1);
  run_to(2005);
  EXPECT_EQ(read(0xf0), 600u);
  write(0xf0, 0);
  EXPECT_EQ(read(0xf0), 600u);
  write(0x10, 0);
  run_to(5000);
  EXPECT_EQ(read(0xf0), 600u);
}

TEST_F(HpetTest, OneShotEdge) {
  write(0x100, kEnableInt | route(20));
  write(0x108, 100);
  write(0x10, 1);
  run_to(999);
  EXPECT_EQ(rises_[20], 0);
  run_to(1000);
  EXPECT_EQ(rises_[20], 1);
  EXPECT_EQ(read(0x20), 0u);
  run_to(1'000'000);
  EXPECT_EQ(rises_[20], 1);
}

TEST_F(HpetTest, PeriodicTakesAccumulatorThenPeriod) {
  write(0x10, 1);
  write(0x100, kEnableInt | kPeriodic | kValueSet | route(21));
  write(0x108, 1000);
  write(0x108, 500);
  EXPECT_EQ(read(0x100) & kValueSet, 0u);
  run_to(10'000);
  EXPECT_EQ(rises_[21], 1);
  EXPECT_EQ(read(0x108), 1500u);
  run_to(15'000);
  EXPECT_EQ(rises_[21], 2);
  run_to(30'000);
  EXPECT_EQ(rises_[21], 5);
}

TEST_F(HpetTest, LevelHoldsUntilTheStatusIsCleared) {
  write(0x140, kLevel | kEnableInt | route(11));
  write(0x148, 10);
  write(0x10, 1);
  run_to(100);
  EXPECT_TRUE(levels_[11]);
  EXPECT_EQ(read(0x20), 4u);
  write(0x20, 3);
  EXPECT_TRUE(levels_[11]);
  hpet_.mmio_write(0x20, 4, 4);
  EXPECT_FALSE(levels_[11]);
  EXPECT_EQ(read(0x20), 0u);
}

TEST_F(HpetTest, LegacyReplacementRoute) {
  write(0x100, kEnableInt | kPeriodic | kValueSet);
  write(0x108, 1000);
  write(0x120, kEnableInt);
  write(0x128, 700);
  write(0x10, 3);
  EXPECT_TRUE(legacy_);
  run_to(20'000);
  EXPECT_EQ(rises_[100], 2);
  EXPECT_EQ(rises_[108], 1);
  write(0x10, 1);
  EXPECT_FALSE(legacy_);
  EXPECT_FALSE(levels_[100]);
}

TEST_F(HpetTest, ImpossibleRouteIsNotTaken) {
  write(0x100, kEnableInt | route(20));
  write(0x100, kEnableInt | route(5));
  EXPECT_EQ(read(0x100) & route(31), route(20));
}

TEST_F(HpetTest, ThirtyTwoBitTimerMatchesEachTurn) {
  write(0xf0, 0xffff'fff0);
  write(0x100, kEnableInt | k32Bit | route(20));
  write(0x108, 0x10);
  write(0x10, 1);
  run_to(320);
  EXPECT_EQ(rises_[20], 1);
  EXPECT_EQ(read(0xf0), 0x1'0000'0010u);
  run_to(320 + 0x1'0000'0000 * 10);
  EXPECT_EQ(rises_[20], 2);
}

TEST_F(HpetTest, ComparatorInThePastWaitsForTheTurn) {
  write(0xf0, 1000);
  write(0x100, kEnableInt | route(20));
  write(0x108, 10);
  write(0x10, 1);
  EXPECT_EQ(timeline_.next_event(), kNever);
}

TEST_F(HpetTest, TinyPeriodIsStretched) {
  write(0x10, 1);
  write(0x100, kEnableInt | kPeriodic | kValueSet | route(20));
  write(0x108, 1);
  run_to(100'000);
  EXPECT_GT(rises_[20], 50);
  EXPECT_LE(rises_[20], 101);
  write(0x100, kEnableInt | kPeriodic | kValueSet | route(20));
  write(0x108, 0);
  run_to(200'000);
}

TEST_F(HpetTest, LateTimerCatchesUpWithOneInterrupt) {
  write(0x10, 1);
  write(0x100, kEnableInt | kPeriodic | kValueSet | route(20));
  write(0x108, 1000);
  timeline_.set_now(u64{1} << 62);
  timeline_.fire_due();
  EXPECT_EQ(rises_[20], 1);
  EXPECT_GT(read(0x108), read(0xf0));
}

TEST_F(HpetTest, HostileAccesses) {
  for (u64 offset = 0; offset < 0x480; ++offset) {
    for (unsigned size : {1u, 2u, 4u, 8u}) {
      hpet_.mmio_write(offset, ~u64{0}, size);
      hpet_.mmio_read(offset, size);
    }
  }
  EXPECT_EQ(hpet_.mmio_read(0x3f8, 8), 0u);
}

}  // namespace
}  // namespace softvt
