#include "loader/placement.h"

#include <algorithm>

#include "loader/text.h"

namespace softvt::loader {

bool Placement::is_ram(u64 start, u64 size) const {
  return std::any_of(map_.begin(), map_.end(), [&](const E820Range& range) {
    return range.type == MemoryType::Ram && start >= range.start && size <= range.size &&
           start - range.start <= range.size - size;
  });
}

Placement::Claims::const_iterator Placement::first_overlap(u64 start, u64 size) const {
  auto next = claims_.upper_bound(start);
  if (next != claims_.begin()) {
    const auto before = std::prev(next);
    if (start - before->first < before->second.size) return before;
  }
  if (next != claims_.end() && next->first - start < size) return next;
  return claims_.end();
}

Placement::Claims::const_iterator Placement::last_overlap(u64 start, u64 size) const {
  const auto after = claims_.upper_bound(start + (size - 1));
  if (after == claims_.begin()) return claims_.end();
  const auto last = std::prev(after);
  const bool overlaps = last->first >= start || start - last->first < last->second.size;
  return overlaps ? last : claims_.end();
}

std::optional<std::string> Placement::claim(u64 start, u64 size, const std::string& name) {
  if (size == 0) return std::nullopt;
  if (size - 1 > ~u64{0} - start) return "an address beyond 64 bits";
  if (!is_ram(start, size)) {
    std::string ram;
    for (const E820Range& range : map_) {
      if (range.type != MemoryType::Ram) continue;
      ram += (ram.empty() ? "" : ", ") + span_text(range.start, range.size);
    }
    return "RAM only at " + (ram.empty() ? "no address" : ram);
  }
  const auto other = first_overlap(start, size);
  if (other != claims_.end()) {
    return other->second.name + " at " + span_text(other->first, other->second.size);
  }
  claims_.emplace(start, Claim{size, name});
  return std::nullopt;
}

std::optional<u64> Placement::lowest(u64 size, u64 alignment, Window window) const {
  if (size == 0) size = 1;
  for (const E820Range& range : map_) {
    if (range.type != MemoryType::Ram) continue;
    const u64 end = std::min(range.start + range.size, window.end);
    u64 at = std::max(range.start, window.start);
    for (;;) {
      if (at > ~u64{0} - (alignment - 1)) break;
      at = (at + alignment - 1) & ~(alignment - 1);
      if (at >= end || size > end - at) break;
      const auto other = first_overlap(at, size);
      if (other == claims_.end()) return at;
      at = other->first + other->second.size;
    }
  }
  return std::nullopt;
}

std::optional<u64> Placement::highest(u64 size, u64 alignment, Window window) const {
  if (size == 0) size = 1;
  for (auto range = map_.rbegin(); range != map_.rend(); ++range) {
    if (range->type != MemoryType::Ram) continue;
    const u64 start = std::max(range->start, window.start);
    u64 end = std::min(range->start + range->size, window.end);
    for (;;) {
      if (end < start || size > end - start) break;
      const u64 at = (end - size) & ~(alignment - 1);
      if (at < start) break;
      const auto other = last_overlap(at, size);
      if (other == claims_.end()) return at;
      end = other->first;
    }
  }
  return std::nullopt;
}

std::vector<LoadedRange> Placement::claims() const {
  std::vector<LoadedRange> result;
  for (const auto& [start, claim] : claims_) result.push_back({start, claim.size, claim.name});
  return result;
}

}  // namespace softvt::loader
