#include "loader/memory_map.h"

#include <algorithm>
#include <array>

namespace softvt {
namespace {

constexpr std::array kFixedRanges{
    E820Range{kConventionalEnd, 0xa0000 - kConventionalEnd, MemoryType::Reserved},  // EBDA
    E820Range{0xf0000, 0x10000, MemoryType::Reserved},                              // system ROM
};

u64 saturated_end(const E820Range& range) {
  return range.size > ~u64{0} - range.start ? ~u64{0} : range.start + range.size;
}

// Cuts [start, end) out of every range of the map.
void cut(std::vector<E820Range>& map, u64 start, u64 end) {
  std::vector<E820Range> kept;
  for (const E820Range& range : map) {
    const u64 range_end = saturated_end(range);
    if (range_end <= start || range.start >= end) {
      kept.push_back(range);
      continue;
    }
    if (range.start < start) kept.push_back({range.start, start - range.start, range.type});
    if (range_end > end) kept.push_back({end, range_end - end, range.type});
  }
  map = std::move(kept);
}

void overlay(std::vector<E820Range>& map, const E820Range& range) {
  if (range.size == 0) return;
  const u64 end = saturated_end(range);
  cut(map, range.start, end);
  map.push_back({range.start, end - range.start, range.type});
}

void sort_and_join(std::vector<E820Range>& map) {
  std::sort(map.begin(), map.end(),
            [](const E820Range& a, const E820Range& b) { return a.start < b.start; });
  std::vector<E820Range> joined;
  for (const E820Range& range : map) {
    const bool continues = !joined.empty() && joined.back().type == range.type &&
                           saturated_end(joined.back()) == range.start;
    if (continues) {
      joined.back().size += range.size;
    } else {
      joined.push_back(range);
    }
  }
  map = std::move(joined);
}

}  // namespace

std::vector<E820Range> build_memory_map(const GuestMemory& memory,
                                        std::span<const E820Range> extra) {
  std::vector<E820Range> map;
  const u64 low_end = std::min(memory.low_ram_end(), kMaxLowRamEnd);
  overlay(map, {0, low_end, MemoryType::Ram});
  overlay(map, {kFourGiB, memory.high_ram_size(), MemoryType::Ram});
  cut(map, 0xa0000, kOneMiB);  // video memory and ROMs
  for (const E820Range& range : kFixedRanges) overlay(map, range);
  for (const E820Range& range : extra) overlay(map, range);
  sort_and_join(map);
  return map;
}

MemorySummary summarize_memory(std::span<const E820Range> map) {
  MemorySummary summary;
  for (const E820Range& range : map) {
    if (range.type != MemoryType::Ram) continue;
    if (range.start == 0) {
      summary.lower_kib = static_cast<u32>(std::min(range.size, u64{0xa0000}) / 1024);
    }
    if (range.start == kOneMiB) {
      summary.upper_kib = static_cast<u32>(std::min(range.size / 1024, u64{0xffffffff}));
    }
  }
  return summary;
}

}  // namespace softvt
