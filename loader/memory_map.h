// The memory map that guests are told: e820 and its cousins in the other formats.
#pragma once
#include <span>
#include <vector>

#include "loader/guest_memory.h"

namespace softvt {

// ACPI 15 "System Address Map Interfaces"; all formats of this folder use the same numbers.
enum class MemoryType : u32 { Ram = 1, Reserved = 2, AcpiReclaimable = 3, AcpiNvs = 4 };

struct E820Range {
  u64 start = 0;
  u64 size = 0;
  MemoryType type = MemoryType::Reserved;

  bool operator==(const E820Range&) const = default;
};

constexpr u64 kOneMiB = u64{1} << 20;
// Conventional memory ends where the extended BIOS data area begins.
constexpr u64 kConventionalEnd = 0x9fc00;

// RAM, the reserved parts below 1 MiB, and over them the extra ranges, which win where they
// overlap. Sorted, disjoint, neighbours of one type joined.
std::vector<E820Range> build_memory_map(const GuestMemory& memory,
                                        std::span<const E820Range> extra);

// KiB of RAM from 0 (at most 640), and from 1 MiB up to the first gap.
struct MemorySummary {
  u32 lower_kib = 0;
  u32 upper_kib = 0;
};
MemorySummary summarize_memory(std::span<const E820Range> map);

}  // namespace softvt
