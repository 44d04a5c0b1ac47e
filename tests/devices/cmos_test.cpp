#include "devices/cmos.h"

#include <gtest/gtest.h>

#include <vector>

namespace softvt {
namespace {

constexpr u64 kSecond = 1000000000;
constexpr u64 kMib = 1 << 20;

class Rtc : public ::testing::Test {
 protected:
  u32 in(u32 index) {
    cmos.port_write(0x70, index, 1);
    return cmos.port_read(0x71, 1);
  }
  void out(u32 index, u32 value) {
    cmos.port_write(0x70, index, 1);
    cmos.port_write(0x71, value, 1);
  }
  // Runs the timeline to a date, firing timers at their own dates as the board does.
  void run_to(u64 date) {
    while (timeline.next_event() <= date) {
      timeline.set_now(timeline.next_event());
      timeline.fire_due();
    }
    timeline.set_now(date);
  }
  void set_clock(u32 hour, u32 minute, u32 second) {
    out(0x0b, in(0x0b) | 0x80);
    out(4, hour);
    out(2, minute);
    out(0, second);
    out(0x0b, in(0x0b) & 0x7f);
  }

  Timeline timeline;
  std::vector<u64> raised;
  bool level = false;
  Cmos cmos{timeline,
            [this](bool now) {
              level = now;
              if (now) raised.push_back(timeline.now());
            },
            {.start_date = kDefaultStartDate, .ram_below_4g = 512 * kMib, .ram_above_4g = 1 << 30}};
};

TEST_F(Rtc, StartsAtTheFixedDate) {
  EXPECT_EQ(in(0), 0x00u);
  EXPECT_EQ(in(2), 0x00u);
  EXPECT_EQ(in(4), 0x00u);
  EXPECT_EQ(in(6), 2u) << "Monday";
  EXPECT_EQ(in(7), 0x01u);
  EXPECT_EQ(in(8), 0x01u);
  EXPECT_EQ(in(9), 0x24u);
  EXPECT_EQ(in(0x32), 0x20u);
  EXPECT_EQ(in(0x0d), 0x80u);
}

TEST_F(Rtc, TimePasses) {
  // 59 days, 23:59:58 later: 2024 is a leap year, so this is 29 February.
  run_to((59ull * 86400 + 86398) * kSecond);
  EXPECT_EQ(in(4), 0x23u);
  EXPECT_EQ(in(2), 0x59u);
  EXPECT_EQ(in(0), 0x58u);
  EXPECT_EQ(in(7), 0x29u);
  EXPECT_EQ(in(8), 0x02u);
  run_to((60ull * 86400) * kSecond);
  EXPECT_EQ(in(7), 0x01u);
  EXPECT_EQ(in(8), 0x03u);
  EXPECT_EQ(in(6), 6u) << "Friday";
}

TEST_F(Rtc, BinaryAndTwelveHours) {
  run_to(13 * 3600 * kSecond + 45 * kSecond);
  EXPECT_EQ(in(0), 0x45u);
  out(0x0b, 0x06);
  EXPECT_EQ(in(0), 45u);
  EXPECT_EQ(in(4), 13u);
  out(0x0b, 0x00);
  EXPECT_EQ(in(4), 0x81u) << "1 pm in BCD";
  out(0x0b, 0x04);
  EXPECT_EQ(in(4), 0x81u);
  set_clock(12, 0, 0);
  out(0x0b, 0x02);
  EXPECT_EQ(in(4), 0x00u) << "12 am is midnight";
  out(0x0b, 0x00);
  EXPECT_EQ(in(4), 0x12u);
}

TEST_F(Rtc, GuestSetsTheTime) {
  out(0x0b, 0x82);
  out(0, 0x30);
  out(2, 0x59);
  out(4, 0x23);
  out(7, 0x31);
  out(8, 0x12);
  out(9, 0x99);
  out(0x32, 0x19);
  run_to(5 * kSecond);
  EXPECT_EQ(in(0), 0x30u) << "SET holds the time";
  out(0x0b, 0x02);
  run_to(35 * kSecond);
  EXPECT_EQ(in(0), 0x00u);
  EXPECT_EQ(in(9), 0x00u);
  EXPECT_EQ(in(0x32), 0x20u);
  EXPECT_EQ(in(6), 7u) << "2000-01-01 was a Saturday";
}

TEST_F(Rtc, UpdateInProgressBeforeEachSecond) {
  run_to(kSecond - 245000);
  EXPECT_EQ(in(0x0a) & 0x80, 0u);
  run_to(kSecond - 243000);
  EXPECT_EQ(in(0x0a) & 0x80, 0x80u);
  out(0x0b, 0x82);
  EXPECT_EQ(in(0x0a) & 0x80, 0u) << "no update while SET";
  out(0x0b, 0x02);
  run_to(kSecond);
  EXPECT_EQ(in(0x0a) & 0x80, 0u);
}

TEST_F(Rtc, DividerResetRestartsTheSecond) {
  run_to(kSecond / 4);
  out(0x0a, 0x76);
  run_to(kSecond * 3);
  EXPECT_EQ(in(0), 0u) << "stopped";
  out(0x0a, 0x26);
  run_to(kSecond * 3 + kSecond / 2 - 1);
  EXPECT_EQ(in(0), 0u);
  run_to(kSecond * 3 + kSecond / 2);
  EXPECT_EQ(in(0), 1u);
}

TEST_F(Rtc, PeriodicInterrupt) {
  out(0x0a, 0x26);  // 1024 Hz
  out(0x0b, 0x42);
  run_to(976563);
  ASSERT_EQ(raised.size(), 1u);
  EXPECT_EQ(raised[0], 976563u);
  run_to(3 * 976563);
  EXPECT_EQ(raised.size(), 1u) << "not acknowledged";
  EXPECT_EQ(in(0x0c), 0xc0u);
  EXPECT_FALSE(level);
  EXPECT_EQ(in(0x0c), 0u);
  u32 count = 0;
  raised.clear();
  while (timeline.next_event() <= kSecond) {
    run_to(timeline.next_event());
    in(0x0c);
    ++count;
  }
  EXPECT_EQ(raised.size(), count);
  EXPECT_EQ(count, 1024u - 3u) << "three periods had passed before";
}

TEST_F(Rtc, FlagsAreSetWithoutInterrupts) {
  run_to(kSecond + 1);
  EXPECT_EQ(in(0x0c) & 0x50, 0x50u);
  EXPECT_TRUE(raised.empty());
  EXPECT_EQ(timeline.next_event(), kNever);
}

TEST_F(Rtc, UpdateInterrupt) {
  out(0x0b, 0x12);
  run_to(kSecond / 2);
  EXPECT_TRUE(raised.empty());
  run_to(kSecond);
  EXPECT_EQ(raised, std::vector<u64>{kSecond});
  EXPECT_EQ(in(0x0c) & 0x90, 0x90u);
  out(0x0b, 0x92);
  EXPECT_EQ(in(0x0b) & 0x10, 0u) << "SET clears UIE";
}

TEST_F(Rtc, AlarmAtATime) {
  out(1, 0x05);
  out(3, 0x01);
  out(5, 0x02);
  out(0x0b, 0x22);
  run_to(86400 * kSecond);
  EXPECT_EQ(raised, std::vector<u64>{(2 * 3600 + 60 + 5) * kSecond});
  EXPECT_EQ(in(0x0c) & 0xa0, 0xa0u);
  run_to(2 * 86400 * kSecond);
  EXPECT_EQ(raised.size(), 2u);
}

TEST_F(Rtc, AlarmWithDontCare) {
  out(1, 0x10);
  out(3, 0xff);
  out(5, 0xc0);
  out(0x0b, 0x22);
  run_to(11 * kSecond);
  EXPECT_EQ(raised, std::vector<u64>{10 * kSecond});
  in(0x0c);
  run_to(71 * kSecond);
  EXPECT_EQ(raised.size(), 2u);
}

TEST_F(Rtc, ImpossibleAlarmNeverFires) {
  out(1, 0x77);
  out(3, 0xff);
  out(5, 0xff);
  out(0x0b, 0x22);
  EXPECT_EQ(timeline.next_event(), kNever);
}

TEST_F(Rtc, ImpossibleDatesAreHarmless) {
  for (u32 value : {0x00u, 0xffu, 0x9au}) {
    for (u32 format : {0x02u, 0x06u, 0x00u, 0x04u}) {
      out(0x0b, format | 0x80);
      for (u32 index : {0u, 2u, 4u, 7u, 8u, 9u, 0x32u}) out(index, value);
      out(0x0b, format);
      EXPECT_GE(in(8), 1u);
      EXPECT_LE(in(8), 0x12u);
    }
  }
}

TEST_F(Rtc, MemorySize) {
  EXPECT_EQ(in(0x15) | in(0x16) << 8, 640u);
  EXPECT_EQ(in(0x17) | in(0x18) << 8, 0xffffu);
  EXPECT_EQ(in(0x30) | in(0x31) << 8, 0xffffu);
  EXPECT_EQ(in(0x34) | in(0x35) << 8, (512u - 16u) * 16);
  EXPECT_EQ(in(0x5b) | in(0x5c) << 8 | in(0x5d) << 16, 1024u * 16);
}

TEST_F(Rtc, MemoryAndNmiBit) {
  out(0x8f, 0x5a);
  EXPECT_EQ(in(0x0f), 0x5au);
  cmos.reset();
  EXPECT_EQ(in(0x0f), 0x5au) << "the shutdown byte outlives a reset";
}

TEST_F(Rtc, ResetSilencesInterrupts) {
  out(0x0b, 0x42);
  run_to(kSecond / 100);
  EXPECT_TRUE(level);
  cmos.reset();
  EXPECT_FALSE(level);
  EXPECT_EQ(timeline.next_event(), kNever);
}

}  // namespace
}  // namespace softvt
