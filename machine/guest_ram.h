// The RAM of the machine: below the PCI hole without the VGA window, and from 4 GiB on.
#pragma once
#include "cpu/phys_memory.h"
#include "loader/guest_memory.h"

namespace softvt {

struct RamLayout {
  u64 below_4g = 0;  // end of the RAM that begins at 0
  u64 above_4g = 0;  // size of the RAM that begins at 4 GiB
};

constexpr u64 kMinRam = u64{1} << 20;
constexpr u64 kMaxRam = u64{1} << 40;

// `size` is a multiple of the page size between kMinRam and kMaxRam.
RamLayout split_ram(u64 size);

class GuestRam : public GuestMemory {
 public:
  GuestRam(PhysMemory& memory, RamLayout layout) : memory_(memory), layout_(layout) {}

  // Once. False if the host has not so much address space.
  bool create();

  bool write(u64 gpa, std::span<const u8> bytes) override;
  bool read(u64 gpa, std::span<u8> bytes) const override;
  bool zero(u64 gpa, u64 length) override;
  u64 low_ram_end() const override { return layout_.below_4g; }
  u64 high_ram_size() const override { return layout_.above_4g; }
  const RamLayout& layout() const { return layout_; }

 private:
  bool is_all_ram(u64 gpa, u64 length) const;

  PhysMemory& memory_;
  RamLayout layout_;
};

}  // namespace softvt
