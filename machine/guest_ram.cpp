#include "machine/guest_ram.h"

#include <algorithm>
#include <array>

#include "machine/platform.h"

namespace softvt {

RamLayout split_ram(u64 size) {
  const u64 low = std::min(size, platform::kRamBelow4GLimit);
  return {low, size - low};
}

// The largest part comes first: look-ups go through the parts in this order.
bool GuestRam::create() {
  constexpr u64 kVgaEnd = platform::kVgaBase + platform::kVgaSize;
  if (!memory_.add_ram(kVgaEnd, layout_.below_4g - kVgaEnd)) return false;
  if (layout_.above_4g != 0 && !memory_.add_ram(kFourGiB, layout_.above_4g)) return false;
  return memory_.add_ram(0, platform::kVgaBase);
}

bool GuestRam::is_all_ram(u64 gpa, u64 length) const {
  if (length == 0) return true;
  if (gpa + length - 1 < gpa) return false;
  for (u64 page = gpa & ~kPageMask;; page += kPageSize) {
    if (!memory_.is_ram(page)) return false;
    if (gpa + length - 1 - page < kPageSize) return true;
  }
}

bool GuestRam::write(u64 gpa, std::span<const u8> bytes) {
  return is_all_ram(gpa, bytes.size()) && memory_.write(gpa, bytes.data(), bytes.size());
}

bool GuestRam::read(u64 gpa, std::span<u8> bytes) const {
  return is_all_ram(gpa, bytes.size()) && memory_.read(gpa, bytes.data(), bytes.size());
}

bool GuestRam::zero(u64 gpa, u64 length) {
  static constexpr std::array<u8, kPageSize> kZeros{};
  if (!is_all_ram(gpa, length)) return false;
  while (length != 0) {
    const u64 part = std::min(length, kPageSize);
    if (!memory_.write(gpa, kZeros.data(), part)) return false;
    gpa += part;
    length -= part;
  }
  return true;
}

}  // namespace softvt
