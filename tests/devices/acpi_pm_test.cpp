#include "devices/acpi_pm.h"

#include <gtest/gtest.h>

namespace softvt {
namespace {

constexpr u16 kStatus = 0x600;
constexpr u16 kEnable = 0x602;
constexpr u16 kControl = 0x604;
constexpr u16 kTimer = 0x608;
constexpr u64 kSecond = 1000000000;

class Pm : public ::testing::Test {
 protected:
  void run_to(u64 date) {
    while (timeline.next_event() <= date) {
      timeline.set_now(timeline.next_event());
      timeline.fire_due();
    }
    timeline.set_now(date);
  }
  void enable_acpi() { pm.port_write(0xb2, platform::kSmiAcpiEnable, 1); }

  Timeline timeline;
  bool sci = false;
  int offs = 0;
  AcpiPm pm{timeline, [this](bool level) { sci = level; }, [this] { ++offs; }, false};
};

TEST_F(Pm, TimerCounts) {
  EXPECT_EQ(pm.port_read(kTimer, 4), 0u);
  run_to(kSecond);
  EXPECT_EQ(pm.port_read(kTimer, 4), 3579545u);
  run_to(10 * kSecond);
  EXPECT_EQ(pm.port_read(kTimer, 4), 35795450u & 0xffffff) << "24 bits";
  AcpiPm wide(timeline, {}, {}, true);
  EXPECT_EQ(wide.port_read(kTimer, 4), 35795450u);
}

TEST_F(Pm, AcpiModeThroughSmiCommand) {
  pm.port_write(kControl, 1, 2);
  EXPECT_EQ(pm.port_read(kControl, 2) & 1, 0u);
  enable_acpi();
  EXPECT_EQ(pm.port_read(kControl, 2) & 1, 1u);
  pm.port_write(kControl, 0, 2);
  EXPECT_EQ(pm.port_read(kControl, 2) & 1, 1u);
  pm.port_write(0xb2, platform::kSmiAcpiDisable, 1);
  EXPECT_EQ(pm.port_read(kControl, 2) & 1, 0u);
}

TEST_F(Pm, SoftOff) {
  pm.port_write(kControl, u32{platform::kSleepTypeS5} << 10, 2);
  EXPECT_EQ(offs, 0) << "SLP_EN is missing";
  pm.port_write(kControl, 0x2000 | u32{platform::kSleepTypeS5} << 10, 2);
  EXPECT_EQ(offs, 1);
  pm.port_write(kControl, 0x2000 | 3 << 10, 2);
  EXPECT_EQ(offs, 1) << "another sleep state";
  EXPECT_EQ(pm.port_read(kStatus, 2), 0x8000u);
  EXPECT_EQ(pm.port_read(kControl, 2), 3u << 10) << "SLP_EN reads as 0";
}

TEST_F(Pm, PowerButtonRaisesSci) {
  enable_acpi();
  pm.press_power_button();
  EXPECT_FALSE(sci);
  pm.port_write(kEnable, 0x100, 2);
  EXPECT_TRUE(sci);
  EXPECT_EQ(pm.port_read(kStatus, 2), 0x100u);
  pm.port_write(kStatus, 0x001, 2);
  EXPECT_TRUE(sci);
  pm.port_write(kStatus, 0x100, 2);
  EXPECT_FALSE(sci);
  EXPECT_EQ(pm.port_read(kStatus, 2), 0u);
}

TEST_F(Pm, NoSciOutsideAcpiMode) {
  pm.press_power_button();
  pm.port_write(kEnable, 0x100, 2);
  EXPECT_FALSE(sci);
}

TEST_F(Pm, TimerEventAtTopBit) {
  enable_acpi();
  pm.port_write(kEnable, 0x001, 2);
  const u64 half = (u64{1} << 23) * kSecond / 3579545;
  run_to(half - 1000);
  EXPECT_FALSE(sci);
  run_to(half + 1000);
  EXPECT_TRUE(sci);
  EXPECT_EQ(pm.port_read(kTimer, 4) & 0x800000, 0x800000u);
  pm.port_write(kStatus, 1, 2);
  EXPECT_FALSE(sci);
  run_to(2 * half + 1000);
  EXPECT_TRUE(sci) << "also when the bit falls";
}

TEST_F(Pm, TimerStatusWithoutEnable) {
  run_to(3 * kSecond);
  EXPECT_EQ(pm.port_read(kStatus, 2), 1u);
  EXPECT_EQ(timeline.next_event(), kNever);
}

TEST_F(Pm, GpeBlockIsEmpty) {
  pm.port_write(platform::kGpe0, 0xffffffff, 4);
  EXPECT_EQ(pm.port_read(platform::kGpe0, 4), 0u);
  pm.port_write(platform::kGpe0 + 8, 0x12345678, 4);
  pm.port_write(platform::kGpe0 + 12, 0x9abcdef0, 4);
  EXPECT_EQ(pm.port_read(platform::kGpe0 + 8, 4), 0x12345678u);
  EXPECT_EQ(pm.port_read(platform::kGpe0 + 12, 4), 0x9abcdef0u);
}

}  // namespace
}  // namespace softvt
