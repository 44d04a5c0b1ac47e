#include "devices/fw_cfg.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace softvt {
namespace {

class FwCfgDevice : public ::testing::Test {
 protected:
  std::vector<u8> item(u16 key, size_t count) {
    device.port_write(0x510, key, 2);
    std::vector<u8> bytes;
    for (size_t i = 0; i < count; ++i) bytes.push_back(static_cast<u8>(device.port_read(0x511, 1)));
    return bytes;
  }
  static u64 big(const std::vector<u8>& bytes, size_t at, size_t count) {
    u64 value = 0;
    for (size_t i = 0; i < count; ++i) value = value << 8 | bytes.at(at + i);
    return value;
  }
  // Key and size of a file as the directory tells them; key 0 if it is not there.
  std::pair<u16, u32> find(const std::string& name) {
    const u64 count = big(item(0x19, 4), 0, 4);
    const std::vector<u8> all = item(0x19, 4 + 64 * count);
    for (u64 i = 0; i < count; ++i) {
      const size_t at = 4 + 64 * i;
      if (name == reinterpret_cast<const char*>(&all[at + 8])) {
        return {static_cast<u16>(big(all, at + 4, 2)), static_cast<u32>(big(all, at, 4))};
      }
    }
    return {0, 0};
  }
  void put_big(u64 at, u64 value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
      ram[at + i] = static_cast<u8>(value >> (8 * (bytes - 1 - i)));
  }
  void dma(u32 control, u32 length, u64 address, u64 descriptor = 0x100) {
    put_big(descriptor, control, 4);
    put_big(descriptor + 4, length, 4);
    put_big(descriptor + 8, address, 8);
    device.port_write(0x514, 0, 4);
    device.port_write(0x518, __builtin_bswap32(static_cast<u32>(descriptor)), 4);
  }
  u32 dma_result() { return static_cast<u32>(big(ram, 0x100, 4)); }

  std::vector<u8> ram = std::vector<u8>(0x10000, 0xcc);
  FwCfg device{{.ram_size = 0x20000000,
                .vcpus = 2,
                .max_vcpus = 4,
                .e820 = {{0, 0x9fc00, E820Type::kRam}, {0x100000, 0x1ff00000, E820Type::kRam}}},
               {[this](u64 address, void* to, u64 size) {
                  if (address > ram.size() || size > ram.size() - address) return false;
                  std::memcpy(to, &ram[address], size);
                  return true;
                },
                [this](u64 address, const void* from, u64 size) {
                  if (address > ram.size() || size > ram.size() - address) return false;
                  std::memcpy(&ram[address], from, size);
                  return true;
                }}};
};

TEST_F(FwCfgDevice, FixedItems) {
  EXPECT_EQ(item(0, 4), (std::vector<u8>{'Q', 'E', 'M', 'U'}));
  EXPECT_EQ(item(1, 4), (std::vector<u8>{3, 0, 0, 0}));
  EXPECT_EQ(item(3, 8), (std::vector<u8>{0, 0, 0, 0x20, 0, 0, 0, 0}));
  EXPECT_EQ(item(5, 2), (std::vector<u8>{2, 0}));
  EXPECT_EQ(item(0xf, 2), (std::vector<u8>{4, 0}));
  EXPECT_EQ(item(0x7777, 2), (std::vector<u8>{0, 0}));
  EXPECT_EQ(item(5, 4), (std::vector<u8>{2, 0, 0, 0})) << "zeros behind the end";
}

TEST_F(FwCfgDevice, E820File) {
  const auto [key, size] = find("etc/e820");
  ASSERT_GE(key, 0x20);
  ASSERT_EQ(size, 40u);
  const std::vector<u8> file = item(key, size);
  EXPECT_EQ(file[8] | file[9] << 8 | file[10] << 16, 0x9fc00);
  EXPECT_EQ(file[16], 1);
  EXPECT_EQ(file[22], 0x10);
}

TEST_F(FwCfgDevice, AddedFiles) {
  EXPECT_TRUE(device.add_file("opt/test", {1, 2, 3}));
  EXPECT_FALSE(device.add_file("opt/test", {4}));
  EXPECT_FALSE(device.add_file("", {}));
  EXPECT_FALSE(device.add_file(std::string(56, 'x'), {}));
  EXPECT_TRUE(device.add_file(std::string(55, 'x'), {}));
  const auto [key, size] = find("opt/test");
  EXPECT_EQ(size, 3u);
  EXPECT_EQ(item(key, 3), (std::vector<u8>{1, 2, 3}));
}

TEST_F(FwCfgDevice, DmaSignature) {
  EXPECT_EQ(device.port_read(0x514, 4), 0x554d4551u);
  EXPECT_EQ(device.port_read(0x518, 4), 0x47464320u);
}

TEST_F(FwCfgDevice, DmaSelectAndRead) {
  dma(0x0000000a, 6, 0x200);  // select item 0, read
  EXPECT_EQ(dma_result(), 0u);
  EXPECT_EQ(std::string(ram.begin() + 0x200, ram.begin() + 0x204), "QEMU");
  EXPECT_EQ(ram[0x205], 0) << "zero-filled behind the end";
  EXPECT_EQ(ram[0x206], 0xcc);
}

TEST_F(FwCfgDevice, DmaSkip) {
  dma(0x0000000c, 2, 0);
  dma(0x00000002, 2, 0x200);
  EXPECT_EQ(std::string(ram.begin() + 0x200, ram.begin() + 0x202), "MU");
}

TEST_F(FwCfgDevice, DmaErrors) {
  dma(0x00000018, 4, 0x200);
  EXPECT_EQ(dma_result(), 1u) << "items are read-only";
  dma(0x0000000a, 0xffffffff, 0x1000);
  EXPECT_EQ(dma_result(), 1u) << "memory ends";
  dma(0x0000000a, 16, ~u64{7});
  EXPECT_EQ(dma_result(), 1u) << "address wraps";
  device.port_write(0x514, 0xffffffff, 4);
  device.port_write(0x518, 0xffffffff, 4);  // a descriptor that is no memory
}

}  // namespace
}  // namespace softvt
