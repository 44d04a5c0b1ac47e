#include "loader/placement.h"

#include <gtest/gtest.h>

#include "loader/vector_memory.h"

namespace softvt::loader {
namespace {

TEST(MemoryMap, HasTheHoleAndHighMemory) {
  class HugeMemory : public VectorMemory {
   public:
    HugeMemory() : VectorMemory(0) {}
    u64 low_ram_end() const override { return u64{5} << 30; }  // more than there may be
    u64 high_ram_size() const override { return u64{1} << 30; }
  };
  const auto map = build_memory_map(HugeMemory(), {});
  ASSERT_EQ(map.size(), 5u);
  EXPECT_EQ(map[3], (E820Range{kOneMiB, kMaxLowRamEnd - kOneMiB, MemoryType::Ram}));
  EXPECT_EQ(map[4], (E820Range{kFourGiB, u64{1} << 30, MemoryType::Ram}));
}

TEST(MemoryMap, ExtraRangesWinAndJoin) {
  const VectorMemory memory(u64{16} << 20);
  const std::vector<E820Range> extra{{0xe0000, 0x10000, MemoryType::Reserved},
                                     {0x800000, 0x1000, MemoryType::AcpiNvs},
                                     {~u64{0} - 5, 100, MemoryType::Reserved}};
  const auto map = build_memory_map(memory, extra);
  const std::vector<E820Range> expected{{0, 0x9fc00, MemoryType::Ram},
                                        {0x9fc00, 0x400, MemoryType::Reserved},
                                        {0xe0000, 0x20000, MemoryType::Reserved},
                                        {0x100000, 0x700000, MemoryType::Ram},
                                        {0x800000, 0x1000, MemoryType::AcpiNvs},
                                        {0x801000, 0x7ff000, MemoryType::Ram},
                                        {~u64{0} - 5, 5, MemoryType::Reserved}};
  EXPECT_EQ(map, expected);
  EXPECT_EQ(summarize_memory(map).upper_kib, 7u * 1024);
}

TEST(Placement, FindsGapsFromBothEnds) {
  Placement placement({{0x1000, 0x9000, MemoryType::Ram}});
  EXPECT_FALSE(placement.claim(0x3000, 0x1000, "middle"));
  EXPECT_EQ(placement.lowest(0x1000, 0x1000, {0, 0x10000}), 0x1000u);
  EXPECT_EQ(placement.lowest(0x2001, 0x1000, {0, 0x10000}), 0x4000u);
  EXPECT_EQ(placement.highest(0x1000, 0x1000, {0, 0x10000}), 0x9000u);
  EXPECT_EQ(placement.highest(0x1000, 0x1000, {0, 0x4800}), 0x2000u);
  EXPECT_EQ(placement.highest(0x7000, 0x1000, {0, 0x10000}), std::nullopt);
  EXPECT_EQ(placement.lowest(0x1000, 0x1000, {0x9800, 0x10000}), std::nullopt);
}

TEST(Placement, TellsWhatIsInTheWay) {
  Placement placement({{0, 0x9000, MemoryType::Ram}});
  EXPECT_FALSE(placement.claim(0x3000, 0x1000, "middle"));
  EXPECT_EQ(placement.claim(0x2000, 0x1001, "a"), "middle at 0x3000-0x3fff");
  EXPECT_EQ(placement.claim(0x3fff, 1, "a"), "middle at 0x3000-0x3fff");
  EXPECT_EQ(placement.claim(0x2fff, 0x2000, "a"), "middle at 0x3000-0x3fff");
  EXPECT_EQ(placement.claim(0x8fff, 2, "a"), "RAM only at 0x0-0x8fff");
  EXPECT_EQ(placement.claim(~u64{0}, 2, "a"), "an address beyond 64 bits");
  EXPECT_FALSE(placement.claim(0x4000, 1, "after"));
  EXPECT_FALSE(placement.claim(0x2fff, 1, "before"));
}

TEST(VectorMemory, ChecksEveryRange) {
  VectorMemory memory(0x2000, 0x1000);
  std::vector<u8> bytes(0x1000, 1);
  EXPECT_TRUE(memory.write(0x1000, bytes));
  EXPECT_FALSE(memory.write(0x1001, bytes));
  EXPECT_TRUE(memory.write(kFourGiB, bytes));
  EXPECT_FALSE(memory.read(kFourGiB + 1, bytes));
  EXPECT_FALSE(memory.zero(0, ~u64{0}));
  EXPECT_FALSE(memory.zero(~u64{0}, 1));
}

}  // namespace
}  // namespace softvt::loader
