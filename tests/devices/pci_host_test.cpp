#include "devices/pci_host.h"

#include <gtest/gtest.h>

#include <vector>

namespace softvt {
namespace {

struct Recorder : PciFunction {
  struct Access {
    u16 offset;
    u32 value;
    unsigned size;
    bool operator==(const Access&) const = default;
  };
  u32 config_read(u16 offset, unsigned size) override {
    reads.push_back({offset, 0, size});
    return 0x44332211;
  }
  void config_write(u16 offset, u32 value, unsigned size) override {
    writes.push_back({offset, value, size});
  }
  std::vector<Access> reads;
  std::vector<Access> writes;
};

class Pci : public ::testing::Test {
 protected:
  void select(u32 bus, u32 device, u32 function, u32 offset) {
    pci.port_write(0xcf8, 0x80000000 | bus << 16 | device << 11 | function << 8 | offset, 4);
  }
  static u64 ecam(u64 bus, u64 device, u64 function, u64 offset) {
    return bus << 20 | device << 15 | function << 12 | offset;
  }
  PciHost pci;
};

TEST_F(Pci, FindsItsBridges) {
  select(0, 0, 0, 0);
  EXPECT_EQ(pci.port_read(0xcfc, 4), 0x29c08086u);
  EXPECT_EQ(pci.port_read(0xcfc, 2), 0x8086u);
  EXPECT_EQ(pci.port_read(0xcfe, 2), 0x29c0u);
  EXPECT_EQ(pci.port_read(0xcff, 1), 0x29u);
  select(0, 0, 0, 8);
  EXPECT_EQ(pci.port_read(0xcfc, 4) >> 16, 0x0600u);
  select(0, 31, 0, 8);
  EXPECT_EQ(pci.port_read(0xcfc, 4) >> 16, 0x0601u);
}

TEST_F(Pci, AbsentFunctionsReadOnes) {
  select(0, 5, 0, 0);
  EXPECT_EQ(pci.port_read(0xcfc, 4), 0xffffffffu);
  EXPECT_EQ(pci.port_read(0xcfd, 1), 0xffu);
  select(7, 0, 0, 0);
  EXPECT_EQ(pci.port_read(0xcfc, 2), 0xffffu);
  EXPECT_EQ(pci.mmio_read(ecam(255, 31, 7, 0), 8), ~u64{0});
  pci.mmio_write(ecam(255, 31, 7, 0), 0, 8);
}

TEST_F(Pci, AddressRegister) {
  pci.port_write(0xcf8, 0xffffffff, 4);
  EXPECT_EQ(pci.port_read(0xcf8, 4), 0x80fffffcu);
  pci.port_write(0xcf8, 0, 1);
  pci.port_write(0xcf8, 0, 2);
  EXPECT_EQ(pci.port_read(0xcf8, 4), 0x80fffffcu) << "only dwords reach it";
  EXPECT_EQ(pci.port_read(0xcf8, 1), 0xffu);
  pci.port_write(0xcf8, 0, 4);
  EXPECT_EQ(pci.port_read(0xcfc, 4), 0xffffffffu) << "not enabled";
}

TEST_F(Pci, AccessSizesReachTheFunction) {
  Recorder function;
  ASSERT_TRUE(pci.add({3, 4, 5}, function));
  EXPECT_FALSE(pci.add({3, 4, 5}, function));
  EXPECT_FALSE(pci.add({3, 32, 0}, function));
  EXPECT_FALSE(pci.add({3, 0, 8}, function));
  select(3, 4, 5, 0x40);
  pci.port_write(0xcff, 0xffffffaa, 1);
  pci.port_write(0xcfe, 0xffffbbcc, 2);
  pci.port_write(0xcfc, 0x12345678, 4);
  using A = Recorder::Access;
  EXPECT_EQ(function.writes,
            (std::vector<A>{{0x43, 0xaa, 1}, {0x42, 0xbbcc, 2}, {0x40, 0x12345678, 4}}));
  EXPECT_EQ(pci.port_read(0xcfc, 1), 0x11u);
  EXPECT_EQ(pci.port_read(0xcfe, 4), 0xffff2211u) << "the data register ends at 0xcff";
}

TEST_F(Pci, EcamReachesTheSameSpace) {
  EXPECT_EQ(pci.mmio_read(ecam(0, 0, 0, 0), 4), 0x29c08086u);
  EXPECT_EQ(pci.mmio_read(ecam(0, 31, 0, 2), 2), 0x2918u);
  EXPECT_EQ(pci.mmio_read(ecam(0, 0, 0, 0x100), 4), 0xffffffffu);
  pci.mmio_write(ecam(0, 0, 0, 0x3c), 0x5a, 1);
  select(0, 0, 0, 0x3c);
  EXPECT_EQ(pci.port_read(0xcfc, 1), 0x5au);

  Recorder function;
  ASSERT_TRUE(pci.add({1, 0, 0}, function));
  pci.mmio_write(ecam(1, 0, 0, 0xff8), 0x8877665544332211, 8);
  pci.mmio_write(ecam(1, 0, 0, 2), 0xddccbbaa, 4);
  using A = Recorder::Access;
  EXPECT_EQ(function.writes,
            (std::vector<A>{
                {0xff8, 0x44332211, 4}, {0xffc, 0x88776655, 4}, {2, 0xbbaa, 2}, {4, 0xddcc, 2}}));
  EXPECT_EQ(pci.mmio_read(ecam(1, 0, 0, 0), 8), 0x4433221144332211u);
}

TEST_F(Pci, ReadOnlyBitsStay) {
  select(0, 0, 0, 0);
  pci.port_write(0xcfc, 0, 4);
  EXPECT_EQ(pci.port_read(0xcfc, 4), 0x29c08086u);
  select(0, 0, 0, 0x10);
  pci.port_write(0xcfc, 0xffffffff, 4);
  EXPECT_EQ(pci.port_read(0xcfc, 4), 0u) << "no BAR";
}

}  // namespace
}  // namespace softvt
