// Who owns which part of guest RAM, and where there is still room.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "loader/loader.h"

namespace softvt::loader {

// A window of addresses to look for room in: [start, end).
struct Window {
  u64 start = 0;
  u64 end = 0;
};

class Placement {
 public:
  explicit Placement(std::vector<E820Range> map) : map_(std::move(map)) {}

  // Takes a range. Answers what's in the way ("kernel segment 0 at 0x1000-0x1fff"), or nothing if
  // the range was free RAM and is now taken.
  std::optional<std::string> claim(u64 start, u64 size, const std::string& name);

  // First and last free place of a size in a window; `alignment` is a power of two.
  std::optional<u64> lowest(u64 size, u64 alignment, Window window) const;
  std::optional<u64> highest(u64 size, u64 alignment, Window window) const;

  const std::vector<E820Range>& map() const { return map_; }
  std::vector<LoadedRange> claims() const;

 private:
  struct Claim {
    u64 size;
    std::string name;
  };
  using Claims = std::map<u64, Claim>;

  bool is_ram(u64 start, u64 size) const;
  // The lowest claim that shares a byte with [start, start + size).
  Claims::const_iterator first_overlap(u64 start, u64 size) const;
  Claims::const_iterator last_overlap(u64 start, u64 size) const;

  std::vector<E820Range> map_;
  Claims claims_;
};

}  // namespace softvt::loader
