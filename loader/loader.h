// Puts a guest image into memory and tells how to start it.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loader/boot_state.h"
#include "loader/guest_memory.h"
#include "loader/image_file.h"
#include "loader/memory_map.h"
#include "loader/result.h"

namespace softvt {

enum class ImageFormat {
  BzImage,    // as a request: the 64-bit entry if the kernel has one; never in a result
  BzImage64,  // Linux boot protocol, 64-bit entry
  BzImage32,  // Linux boot protocol, 32-bit entry
  Multiboot,
  Multiboot2,
  Pvh,
  Elf,
  Flat,
};

// "bzimage", "multiboot2", ...: the names that --format takes.
std::string_view format_name(ImageFormat format);
std::optional<ImageFormat> format_from_name(std::string_view name);
// All names with a comma between, for help and errors.
std::string format_names();

struct BootModule {
  ImageFile file;
  std::string cmdline = {};
};

struct LoadRequest {
  ImageFile kernel = {};
  std::optional<ImageFile> initrd = {};
  std::string cmdline = {};
  std::vector<BootModule> modules = {};
  std::optional<ImageFormat> format = {};  // found from the file if not given
  unsigned vcpus = 1;                      // for formats that list processors; none of today's does
  // Guest address of the ACPI root pointer, 0 for none. The tables must be in memory already, since
  // multiboot 2 hands out a copy of it.
  u64 acpi_rsdp = 0;
  // Laid over the memory map, and never loaded into: ACPI tables, firmware, MMIO.
  std::vector<E820Range> reserved = {};
};

struct Symbol {
  u64 address = 0;  // as linked: virtual
  u64 size = 0;
  std::string name;

  bool operator==(const Symbol&) const = default;
};

// Memory that the loader filled or promised, by what it's for.
struct LoadedRange {
  u64 start = 0;
  u64 size = 0;
  std::string name;
};

struct LoadedImage {
  ImageFormat format = ImageFormat::Flat;
  BootState boot;
  std::vector<Symbol> symbols;        // by address, then name
  std::vector<LoadedRange> reserved;  // by start
  std::vector<E820Range> memory_map;  // what the guest is told
};

LoadResult<LoadedImage> load(const LoadRequest& request, GuestMemory& memory);

}  // namespace softvt
