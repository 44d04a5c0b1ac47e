#include "machine/port_bus.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace softvt {
namespace {

// Notes what it is asked for; port p reads as the low byte of p in every byte.
class Recorder : public PortDevice {
 public:
  std::string_view name() const override { return "recorder"; }
  u32 port_read(u16 port, unsigned size) override {
    log.emplace_back('r', port, size, 0);
    return (port & 0xffu) * 0x01010101u;
  }
  void port_write(u16 port, u32 value, unsigned size) override {
    log.emplace_back('w', port, size, value);
  }
  std::vector<std::tuple<char, u16, unsigned, u32>> log;
};

using Log = decltype(Recorder::log);

TEST(PortBus, FirstPortGetsTheWholeAccess) {
  PortBus bus;
  Recorder a, b;
  ASSERT_TRUE(bus.map(0xcf8, 1, a));
  ASSERT_TRUE(bus.map(0xcf9, 1, b));
  EXPECT_EQ(bus.read(0xcf8, 4), 0xf8f8f8f8u);
  bus.write(0xcf9, 6, 1);
  EXPECT_EQ(a.log, (Log{{'r', 0xcf8, 4, 0}}));
  EXPECT_EQ(b.log, (Log{{'w', 0xcf9, 1, 6}}));
}

TEST(PortBus, UnclaimedReadsAreOnes) {
  PortBus bus;
  EXPECT_EQ(bus.read(0x300, 1), 0xffu);
  EXPECT_EQ(bus.read(0x300, 2), 0xffffu);
  EXPECT_EQ(bus.read(0x300, 4), 0xffffffffu);
}

TEST(PortBus, UnclaimedWideAccessesAreSplit) {
  PortBus bus;
  Recorder a;
  ASSERT_TRUE(bus.map(0x102, 1, a));
  EXPECT_EQ(bus.read(0x100, 4), 0xff02ffffu);
  bus.write(0x101, 0x11223344, 4);
  EXPECT_EQ(a.log, (Log{{'r', 0x102, 1, 0}, {'w', 0x102, 1, 0x33}}));
}

TEST(PortBus, DoesNotWrapAtTheEnd) {
  PortBus bus;
  Recorder a;
  ASSERT_TRUE(bus.map(0, 1, a));
  EXPECT_EQ(bus.read(0xfffe, 4), 0xffffffffu);
  bus.write(0xffff, 0, 4);
  EXPECT_TRUE(a.log.empty());
}

TEST(PortBus, RefusesWhatIsTakenOrImpossible) {
  PortBus bus;
  Recorder a, b;
  ASSERT_TRUE(bus.map(0x60, 5, a));
  EXPECT_FALSE(bus.map(0x64, 1, b));
  EXPECT_FALSE(bus.map(0xffff, 2, b));
  EXPECT_FALSE(bus.map(0x70, 0, b));
  EXPECT_EQ(bus.device_at(0x64), &a);
  EXPECT_EQ(bus.device_at(0x65), nullptr);
}

}  // namespace
}  // namespace softvt
