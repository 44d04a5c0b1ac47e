// The header of a multiboot 2 image (Multiboot2 Specification version 2.0, 3.1 "OS image format").
#pragma once
#include <optional>
#include <vector>

#include "loader/chunks.h"
#include "loader/multiboot_image.h"

namespace softvt::loader {

// 3.6 "Boot information format": the tags that are handed to the guest.
enum class Multiboot2Info : u32 {
  End = 0,
  Cmdline = 1,
  LoaderName = 2,
  Module = 3,
  BasicMemory = 4,
  MemoryMap = 6,
  ElfSections = 9,
  AcpiOld = 14,
  AcpiNew = 15,
  LoadBase = 21,
};

enum class LoadPreference : u32 { None = 0, Lowest = 1, Highest = 2 };

struct Relocation {
  u64 lowest = 0;
  u64 highest = 0;  // last byte that may be used
  u64 alignment = 1;
  LoadPreference preference = LoadPreference::None;
  u64 offset = 0;  // of the tag in the file
};

struct Multiboot2Header {
  std::optional<AddressFields> fields;
  std::optional<u64> entry;
  u64 entry_offset = 0;
  std::optional<Relocation> relocation;
};

constexpr HeaderSearch kMultiboot2Search{32768, 8, 0xe85250d6, 4};

LoadResult<Multiboot2Header> read_multiboot2_header(const ImageFile& file);

}  // namespace softvt::loader
