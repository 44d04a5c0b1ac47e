// Guest physical memory as the loaders see it: RAM below the 4 GiB hole, RAM from 4 GiB.
#pragma once
#include <span>

#include "cpu/types.h"

namespace softvt {

constexpr u64 kFourGiB = u64{1} << 32;
// RAM below 4 GiB ends here at the latest: the rest is for PCI, the APICs and the firmware.
constexpr u64 kMaxLowRamEnd = u64{3} << 30;

class GuestMemory {
 public:
  virtual ~GuestMemory() = default;

  // All three answer false, and change nothing, if a byte of the range isn't RAM.
  virtual bool write(u64 gpa, std::span<const u8> bytes) = 0;
  virtual bool read(u64 gpa, std::span<u8> bytes) const = 0;
  virtual bool zero(u64 gpa, u64 length) = 0;

  // End of the RAM that begins at 0; at most kMaxLowRamEnd.
  virtual u64 low_ram_end() const = 0;
  // Size of the RAM that begins at 4 GiB.
  virtual u64 high_ram_size() const = 0;
};

}  // namespace softvt
