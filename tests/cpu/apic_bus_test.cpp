#include "cpu/apic/apic_bus.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace softvt {
namespace {

class ApicBusTest : public ::testing::Test {
 protected:
  ApicBusTest() { add({0, 1, 2, 3}); }

  void add(const std::vector<u32>& ids) {
    for (u32 id : ids) {
      LocalApicOptions options;
      options.id = id;
      const size_t index = apics_.size();
      nmis_.push_back(0);
      LocalApicEvents events;
      events.nmi = [this, index] { ++nmis_[index]; };
      apics_.push_back(std::make_unique<LocalApic>(options, timeline_, bus_, nullptr, events));
      bus_.attach(*apics_.back());
      apics_.back()->mmio_write(0xf0, 0x1ff, 4);
    }
  }
  LocalApic& apic(size_t index) { return *apics_[index]; }

  // Which of the local APICs have `vector` requested; clears nothing.
  std::vector<size_t> receivers(u8 vector) {
    std::vector<size_t> found;
    for (size_t i = 0; i < apics_.size(); ++i) {
      if (apics_[i]->in_request(vector)) found.push_back(i);
    }
    return found;
  }
  std::vector<size_t> send(u32 destination, bool logical, u8 vector, bool x2apic = false) {
    InterruptMessage message;
    message.destination = destination;
    message.logical = logical;
    message.vector = vector;
    message.x2apic_destination = x2apic;
    bus_.deliver(message);
    return receivers(vector);
  }
  using List = std::vector<size_t>;

  Timeline timeline_;
  ApicInterconnect bus_;
  std::vector<std::unique_ptr<LocalApic>> apics_;
  std::vector<int> nmis_;
};

TEST_F(ApicBusTest, PhysicalAndBroadcast) {
  EXPECT_EQ(send(2, false, 0x40), List{2});
  EXPECT_EQ(send(9, false, 0x41), List{});
  EXPECT_EQ(send(0xff, false, 0x42), (List{0, 1, 2, 3}));
  EXPECT_EQ(send(0xff, false, 0x43, true), List{});
  EXPECT_EQ(send(0xffffffff, false, 0x44, true), (List{0, 1, 2, 3}));
}

TEST_F(ApicBusTest, LogicalFlat) {
  for (size_t i = 0; i < 4; ++i) apic(i).mmio_write(0xd0, 1u << (24 + i), 4);
  EXPECT_EQ(send(0x05, true, 0x40), (List{0, 2}));
  EXPECT_EQ(send(0xf0, true, 0x41), List{});
}

TEST_F(ApicBusTest, LogicalCluster) {
  const u32 logical[] = {0x11, 0x12, 0x21, 0x22};
  for (size_t i = 0; i < 4; ++i) {
    apic(i).mmio_write(0xe0, 0x0fffffff, 4);
    apic(i).mmio_write(0xd0, logical[i] << 24, 4);
  }
  EXPECT_EQ(send(0x13, true, 0x40), (List{0, 1}));
  EXPECT_EQ(send(0x22, true, 0x41), List{3});
  EXPECT_EQ(send(0xf1, true, 0x42), (List{0, 2}));
}

TEST_F(ApicBusTest, X2ApicCluster) {
  add({0x12, 0x1'0007});
  for (auto& apic : apics_) ASSERT_TRUE(apic->set_apic_base(apic->apic_base() | 0x400));
  EXPECT_EQ(send(0x0000'0009, true, 0x40, true), (List{0, 3}));
  EXPECT_EQ(send(0x0001'0004, true, 0x41, true), List{4});
  EXPECT_EQ(send(0x1000'0080, true, 0x42, true), List{5});
  EXPECT_EQ(send(0x1'0007, false, 0x43, true), List{5});
  EXPECT_EQ(send(3, false, 0x44), List{3});  // an I/O APIC reaches x2APICs too
  EXPECT_EQ(send(0xff, false, 0x45), (List{0, 1, 2, 3, 4, 5}));
}

TEST_F(ApicBusTest, Shorthands) {
  apic(1).mmio_write(0x300, 0x44040, 4);
  EXPECT_EQ(receivers(0x40), List{1});
  apic(1).mmio_write(0x300, 0x84041, 4);
  EXPECT_EQ(receivers(0x41), (List{0, 1, 2, 3}));
  apic(1).mmio_write(0x300, 0xc4042, 4);
  EXPECT_EQ(receivers(0x42), (List{0, 2, 3}));
  apic(1).mmio_write(0x300, 0xc4400, 4);
  EXPECT_EQ(nmis_, (std::vector<int>{1, 0, 1, 1}));
}

TEST_F(ApicBusTest, LowestPriorityPrefersTheIdleThenTakesTurns) {
  InterruptMessage message;
  message.destination = 0xff;
  message.mode = DeliveryMode::kLowestPriority;
  apic(1).set_task_priority(0x20);
  apic(2).set_task_priority(0x80);
  apic(3).set_task_priority(0x20);
  apic(0).set_task_priority(0x30);
  message.vector = 0x90;
  bus_.deliver(message);
  EXPECT_EQ(receivers(0x90), List{1});
  message.vector = 0x91;
  bus_.deliver(message);
  EXPECT_EQ(receivers(0x91), List{3});
  message.vector = 0x92;
  bus_.deliver(message);
  EXPECT_EQ(receivers(0x92), List{1});
  for (auto& apic : apics_) apic->mmio_write(0xf0, 0xff, 4);
  message.vector = 0x93;
  bus_.deliver(message);
  EXPECT_EQ(receivers(0x93), List{});
}

TEST_F(ApicBusTest, DisabledApicsHearNothing) {
  ASSERT_TRUE(apic(2).set_apic_base(0xfee00000));
  EXPECT_EQ(send(0xff, false, 0x40), (List{0, 1, 3}));
  apic(0).mmio_write(0x300, 0xc4400, 4);
  EXPECT_EQ(nmis_, (std::vector<int>{0, 1, 0, 1}));
}

TEST_F(ApicBusTest, EoiReachesTheListeners) {
  std::vector<u8> heard;
  bus_.on_eoi([&](u8 vector) { heard.push_back(vector); });
  apic(0).accept(0x55, true);
  apic(0).acknowledge();
  apic(0).mmio_write(0xb0, 0, 4);
  EXPECT_EQ(heard, std::vector<u8>{0x55});
}

TEST_F(ApicBusTest, MsiMessage) {
  const InterruptMessage message = message_of_msi(0xfee0'300c, 0x0141);
  EXPECT_EQ(message.destination, 3u);
  EXPECT_TRUE(message.logical);
  EXPECT_EQ(message.mode, DeliveryMode::kLowestPriority);
  EXPECT_EQ(message.vector, 0x41);
  EXPECT_FALSE(message.level_triggered);
  EXPECT_FALSE(message_of_msi(0xfee0'3000, 0x41).logical);
}

TEST_F(ApicBusTest, EmptyBusIsHarmless) {
  ApicInterconnect empty;
  InterruptMessage message;
  message.mode = DeliveryMode::kLowestPriority;
  empty.deliver(message);
  empty.broadcast_eoi(3);
}

}  // namespace
}  // namespace softvt
