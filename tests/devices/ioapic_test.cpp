#include "devices/ioapic.h"

#include <gtest/gtest.h>

#include <vector>

namespace softvt {
namespace {

class RecordingBus : public ApicBus {
 public:
  void deliver(const InterruptMessage& message) override { messages.push_back(message); }
  void broadcast_eoi(u8) override {}
  std::vector<InterruptMessage> messages;
};

class IoApicTest : public ::testing::Test {
 protected:
  void write(u8 index, u32 value) {
    ioapic_.mmio_write(0x00, index, 4);
    ioapic_.mmio_write(0x10, value, 4);
  }
  u32 read(u8 index) {
    ioapic_.mmio_write(0x00, index, 4);
    return static_cast<u32>(ioapic_.mmio_read(0x10, 4));
  }
  void program(unsigned pin, u32 low, u8 destination) {
    write(static_cast<u8>(0x11 + 2 * pin), u32{destination} << 24);
    write(static_cast<u8>(0x10 + 2 * pin), low);
  }
  size_t sent() const { return bus_.messages.size(); }

  RecordingBus bus_;
  IoApic ioapic_{bus_, 1};
};

TEST_F(IoApicTest, ReportsVersionAndId) {
  EXPECT_EQ(read(1), 0x00170020u);
  EXPECT_EQ(read(0), 0x01000000u);
  write(0, 0xff000000);
  EXPECT_EQ(read(0), 0x0f000000u);
  EXPECT_EQ(read(0x10), 0x00010000u);
  EXPECT_EQ(read(0x40), 0u);
  EXPECT_EQ(read(0xff), 0u);
}

TEST_F(IoApicTest, EdgeSendsOncePerRise) {
  program(4, 0x0000'0831, 3);  // logical, fixed, vector 0x31
  ioapic_.set_irq(4, true);
  ioapic_.set_irq(4, true);
  ASSERT_EQ(sent(), 1u);
  EXPECT_EQ(bus_.messages[0].vector, 0x31);
  EXPECT_EQ(bus_.messages[0].destination, 3u);
  EXPECT_TRUE(bus_.messages[0].logical);
  EXPECT_FALSE(bus_.messages[0].level_triggered);
  ioapic_.set_irq(4, false);
  ioapic_.set_irq(4, true);
  EXPECT_EQ(sent(), 2u);
}

TEST_F(IoApicTest, EdgeOnAMaskedPinIsLost) {
  program(4, 0x10031, 0);
  ioapic_.set_irq(4, true);
  write(0x18, 0x31);
  EXPECT_EQ(sent(), 0u);
}

TEST_F(IoApicTest, LevelWaitsForEoi) {
  program(10, 0x8041, 0);
  ioapic_.set_irq(10, true);
  ASSERT_EQ(sent(), 1u);
  EXPECT_TRUE(bus_.messages[0].level_triggered);
  EXPECT_EQ(read(0x24), 0xc041u);
  ioapic_.set_irq(10, false);
  ioapic_.set_irq(10, true);
  EXPECT_EQ(sent(), 1u);
  ioapic_.eoi(0x42);
  EXPECT_EQ(sent(), 1u);
  ioapic_.eoi(0x41);
  EXPECT_EQ(sent(), 2u);
  ioapic_.set_irq(10, false);
  ioapic_.mmio_write(0x40, 0x41, 4);
  EXPECT_EQ(read(0x24), 0x8041u);
  EXPECT_EQ(sent(), 2u);
}

TEST_F(IoApicTest, UnmaskingAnAssertedLevelPinSends) {
  program(10, 0x18041, 0);
  ioapic_.set_irq(10, true);
  EXPECT_EQ(sent(), 0u);
  write(0x24, 0x8041);
  EXPECT_EQ(sent(), 1u);
}

TEST_F(IoApicTest, RemoteIrrIsReadOnlyAndGoesWithEdge) {
  program(10, 0x8041, 0);
  ioapic_.set_irq(10, true);
  write(0x24, 0x18041);
  EXPECT_EQ(read(0x24), 0x1c041u);
  write(0x24, 0x10041);
  EXPECT_EQ(read(0x24), 0x10041u);
  write(0x24, 0x1d041);
  EXPECT_EQ(read(0x24), 0x18041u);
}

TEST_F(IoApicTest, NmiOnALevelEntryIsStillAnEdge) {
  program(3, 0x8400, 0);
  ioapic_.set_irq(3, true);
  ASSERT_EQ(sent(), 1u);
  EXPECT_EQ(bus_.messages[0].mode, DeliveryMode::kNmi);
  EXPECT_EQ(read(0x16), 0x8400u);
}

TEST_F(IoApicTest, BadPinsAndModesDoNothing) {
  program(3, 0x0331, 0);
  ioapic_.set_irq(3, true);
  ioapic_.set_irq(24, true);
  EXPECT_EQ(sent(), 0u);
  EXPECT_EQ(ioapic_.mmio_read(0x1004, 8), 0u);
  ioapic_.mmio_write(0x1001, ~u64{0}, 8);
}

}  // namespace
}  // namespace softvt
