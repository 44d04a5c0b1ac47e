#include "devices/i8254.h"

#include <gtest/gtest.h>

#include <vector>

namespace softvt {
namespace {

class I8254Test : public ::testing::Test {
 protected:
  void out(u16 port, u8 value) { pit_.port_write(port, value, 1); }
  u8 in(u16 port) { return static_cast<u8>(pit_.port_read(port, 1)); }

  static u64 date(u64 tick) { return (tick * 1'000'000'000 + I8254::kHz - 1) / I8254::kHz; }
  // Goes event by event, as the machine does.
  void run_to_tick(u64 tick) {
    const u64 target = date(tick);
    while (timeline_.next_event() <= target) {
      timeline_.set_now(timeline_.next_event());
      timeline_.fire_due();
    }
    timeline_.set_now(target);
  }
  void program(unsigned counter, u8 control, u16 count) {
    out(0x43, static_cast<u8>(counter << 6 | 0x30 | control));
    out(static_cast<u16>(0x40 + counter), static_cast<u8>(count));
    out(static_cast<u16>(0x40 + counter), static_cast<u8>(count >> 8));
  }
  u16 latched(unsigned counter) {
    out(0x43, static_cast<u8>(counter << 6));
    const u16 port = static_cast<u16>(0x40 + counter);
    const u16 low = in(port);
    return static_cast<u16>(low | in(port) << 8);
  }
  u8 status(unsigned counter) {
    out(0x43, static_cast<u8>(0xe0 | 2u << counter));
    return in(static_cast<u16>(0x40 + counter));
  }

  Timeline timeline_;
  std::vector<std::pair<u64, bool>> changes_;
  bool irq_ = false;
  I8254 pit_{timeline_, [this](bool level) {
               irq_ = level;
               changes_.push_back({timeline_.now(), level});
             }};
};

TEST_F(I8254Test, RateGeneratorPulsesAtExactTicks) {
  program(0, 0x04, 1193);
  EXPECT_TRUE(irq_);  // the control word sets OUT high
  changes_.clear();
  run_to_tick(1 + 2 * 1193);
  ASSERT_EQ(changes_.size(), 4u);
  EXPECT_EQ(changes_[0], std::make_pair(date(1193), false));
  EXPECT_EQ(changes_[1], std::make_pair(date(1194), true));
  EXPECT_EQ(changes_[3], std::make_pair(date(1 + 2 * 1193), true));
}

TEST_F(I8254Test, RateGeneratorCountsDown) {
  program(0, 0x04, 100);
  EXPECT_EQ(status(0) & 0x40, 0x40);  // not loaded yet
  run_to_tick(1);
  EXPECT_EQ(status(0), 0x80 | 0x34);
  EXPECT_EQ(latched(0), 100);
  run_to_tick(31);
  EXPECT_EQ(latched(0), 70);
  run_to_tick(100);
  EXPECT_EQ(latched(0), 1);
  EXPECT_FALSE(irq_);
  run_to_tick(101);
  EXPECT_EQ(latched(0), 100);
}

TEST_F(I8254Test, NewCountWaitsForTheEndOfThePeriod) {
  program(0, 0x04, 100);
  run_to_tick(51);
  out(0x40, 20);
  out(0x40, 0);
  EXPECT_EQ(status(0) & 0x40, 0x40);
  EXPECT_EQ(latched(0), 50);
  run_to_tick(106);
  EXPECT_EQ(latched(0), 15);
  EXPECT_EQ(status(0) & 0x40, 0);
}

TEST_F(I8254Test, SquareWaveHasOddHalves) {
  program(0, 0x06, 5);
  changes_.clear();
  run_to_tick(11);
  ASSERT_EQ(changes_.size(), 4u);
  EXPECT_EQ(changes_[0], std::make_pair(date(4), false));  // 3 ticks high
  EXPECT_EQ(changes_[1], std::make_pair(date(6), true));   // 2 ticks low
  EXPECT_EQ(changes_[2], std::make_pair(date(9), false));
  EXPECT_EQ(changes_[3], std::make_pair(date(11), true));
}

TEST_F(I8254Test, SquareWaveCountsByTwo) {
  program(0, 0x06, 100);
  run_to_tick(11);
  EXPECT_EQ(latched(0), 80);
  run_to_tick(61);
  EXPECT_EQ(latched(0), 80);
  EXPECT_FALSE(irq_);
}

TEST_F(I8254Test, SquareWaveTakesANewCountAtTheHalf) {
  program(0, 0x06, 100);
  run_to_tick(11);
  out(0x40, 20);
  out(0x40, 0);
  changes_.clear();
  run_to_tick(71);
  ASSERT_GE(changes_.size(), 3u);
  EXPECT_EQ(changes_[0], std::make_pair(date(51), false));
  EXPECT_EQ(changes_[1], std::make_pair(date(61), true));
  EXPECT_EQ(changes_[2], std::make_pair(date(71), false));
}

TEST_F(I8254Test, TerminalCountFiresOnce) {
  program(0, 0x00, 50);
  EXPECT_FALSE(irq_);
  run_to_tick(50);
  EXPECT_FALSE(irq_);
  run_to_tick(51);
  EXPECT_TRUE(irq_);
  EXPECT_EQ(changes_.back().first, date(51));
  run_to_tick(61);
  EXPECT_EQ(latched(0), 0xfff6);  // goes on below zero
  EXPECT_EQ(timeline_.next_event(), kNever);
}

TEST_F(I8254Test, TerminalCountStopsBetweenTheBytes) {
  program(0, 0x00, 50);
  run_to_tick(60);
  EXPECT_TRUE(irq_);
  out(0x40, 10);
  EXPECT_FALSE(irq_);
  run_to_tick(200);
  EXPECT_FALSE(irq_);
  out(0x40, 0);
  run_to_tick(211);
  EXPECT_TRUE(irq_);
}

TEST_F(I8254Test, SoftwareStrobeIsOneTickLow) {
  program(0, 0x08, 10);
  changes_.clear();
  run_to_tick(100);
  ASSERT_EQ(changes_.size(), 2u);
  EXPECT_EQ(changes_[0], std::make_pair(date(11), false));
  EXPECT_EQ(changes_[1], std::make_pair(date(12), true));
}

TEST_F(I8254Test, GateOfCounterTwoTriggersTheOneShot) {
  out(0x61, 0);
  program(2, 0x02, 20);
  EXPECT_EQ(in(0x61) & 0x20, 0x20);
  run_to_tick(100);
  EXPECT_EQ(in(0x61) & 0x20, 0x20);
  out(0x61, 1);
  run_to_tick(101);
  EXPECT_EQ(in(0x61) & 0x20, 0);
  run_to_tick(120);
  EXPECT_EQ(in(0x61) & 0x20, 0);
  run_to_tick(121);
  EXPECT_EQ(in(0x61) & 0x20, 0x20);
}

TEST_F(I8254Test, HardwareStrobeIsTriggeredByTheGate) {
  program(2, 0x0a, 20);
  out(0x61, 1);
  run_to_tick(20);
  EXPECT_EQ(in(0x61) & 0x20, 0x20);
  run_to_tick(21);
  EXPECT_EQ(in(0x61) & 0x20, 0);
  run_to_tick(22);
  EXPECT_EQ(in(0x61) & 0x20, 0x20);
}

// How kernels measure the TSC: counter 2 in mode 0, gate up, wait for OUT2.
TEST_F(I8254Test, GatePausesTerminalCount) {
  out(0x61, 1);
  program(2, 0x00, 100);
  run_to_tick(41);
  EXPECT_EQ(latched(2), 60);
  out(0x61, 0);
  run_to_tick(1000);
  EXPECT_EQ(latched(2), 60);
  out(0x61, 1);
  run_to_tick(1059);
  EXPECT_EQ(in(0x61) & 0x20, 0);
  run_to_tick(1060);
  EXPECT_EQ(in(0x61) & 0x20, 0x20);
}

TEST_F(I8254Test, BcdCountsInDecimal) {
  program(0, 0x05, 0x1000);
  run_to_tick(2);
  EXPECT_EQ(latched(0), 0x0999);
  program(0, 0x05, 0x0000);
  run_to_tick(5);
  EXPECT_EQ(latched(0), 0x9998);
  EXPECT_EQ(status(0) & 1, 1);
}

TEST_F(I8254Test, LatchHoldsUntilRead) {
  program(0, 0x04, 1000);
  run_to_tick(101);
  out(0x43, 0x00);
  run_to_tick(201);
  out(0x43, 0x00);  // ignored, the first latch was not read
  EXPECT_EQ(in(0x40), 900 & 0xff);
  EXPECT_EQ(in(0x40), 900 >> 8);
  EXPECT_EQ(latched(0), 800);
}

TEST_F(I8254Test, ReadBackGivesStatusThenCount) {
  program(0, 0x04, 1000);
  run_to_tick(101);
  out(0x43, 0xc2);
  EXPECT_EQ(in(0x40), 0xb4);
  EXPECT_EQ(in(0x40), 900 & 0xff);
  EXPECT_EQ(in(0x40), 900 >> 8);
}

TEST_F(I8254Test, SingleByteAccess) {
  out(0x43, 0x24);  // counter 0, high byte only, mode 2
  out(0x40, 0x10);
  run_to_tick(1 + 0x123);
  EXPECT_EQ(in(0x40), (0x1000 - 0x123) >> 8);
}

TEST_F(I8254Test, RefreshBitToggles) {
  const u8 first = in(0x61) & 0x10;
  run_to_tick(18);
  EXPECT_NE(in(0x61) & 0x10, first);
}

TEST_F(I8254Test, ShortestPeriodStillAdvances) {
  program(0, 0x04, 1);
  run_to_tick(1000);
  EXPECT_LE(changes_.size(), 1001u);
}

TEST_F(I8254Test, LateTimerStillMakesAnEdge) {
  program(0, 0x04, 1193);
  changes_.clear();
  timeline_.set_now(date(1300));
  timeline_.fire_due();
  ASSERT_EQ(changes_.size(), 2u);
  timeline_.set_now(u64{1} << 62);
  timeline_.fire_due();
  EXPECT_LE(changes_.size(), 20u);
}

}  // namespace
}  // namespace softvt
