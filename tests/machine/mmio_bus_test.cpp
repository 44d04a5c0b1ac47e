#include "machine/mmio_bus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace softvt {
namespace {

class Bytes : public MmioDevice {
 public:
  std::string_view name() const override { return "bytes"; }
  u64 mmio_read(u64 offset, unsigned size) override {
    check(offset, size);
    u64 value = 0;
    for (unsigned i = 0; i < size; ++i) value |= u64{bytes.at(offset + i)} << (8 * i);
    return value;
  }
  void mmio_write(u64 offset, u64 value, unsigned size) override {
    check(offset, size);
    for (unsigned i = 0; i < size; ++i) bytes.at(offset + i) = static_cast<u8>(value >> (8 * i));
  }
  std::array<u8, 0x400> bytes{};
  unsigned widest = 0;

 private:
  void check(u64 offset, unsigned size) {
    EXPECT_LE((offset & 7) + size, 8u);
    widest = std::max(widest, size);
  }
};

constexpr u64 kBase = 0xfed00000;

struct MmioBusTest : testing::Test {
  MmioBusTest() { bus.map(kBase, 0x400, device); }
  PhysMemory memory;
  MmioBus bus{memory};
  Bytes device;
};

TEST_F(MmioBusTest, PassesOffsets) {
  memory.write_any(kBase + 0x10, 0x1122334455667788, 8);
  EXPECT_EQ(device.bytes[0x10], 0x88);
  EXPECT_EQ(device.bytes[0x17], 0x11);
  EXPECT_EQ(memory.read_any(kBase + 0x14, 4), 0x11223344u);
  EXPECT_EQ(device.widest, 8u);
}

TEST_F(MmioBusTest, SplitsAtEightBytes) {
  memory.write_any(kBase + 6, 0xaabbccdd, 4);
  EXPECT_EQ(device.widest, 1u);
  EXPECT_EQ(memory.read_any(kBase + 6, 4), 0xaabbccddu);
}

TEST_F(MmioBusTest, BehindTheEndThereIsNothing) {
  EXPECT_EQ(memory.read_any(kBase + 0x3fe, 4), 0xffff0000u);
  memory.write_any(kBase + 0x800, 1, 4);
  EXPECT_EQ(memory.read_any(kBase + 0x800, 4), 0xffffffffu);
}

}  // namespace
}  // namespace softvt
