// What multiboot 1 and 2 share: the search for the header, an image that is ELF or not, the words
// handed to the guest.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "loader/elf.h"
#include "loader/modules.h"

namespace softvt::loader {

constexpr std::string_view kLoaderName = "softvt";

// Where to look for a header: at multiples of `step` in the first `limit` bytes.
struct HeaderSearch {
  u64 limit;
  u64 step;
  u32 magic;
  unsigned checked_words;  // 32-bit words, magic first, whose sum is 0
};

struct HeaderFound {
  std::optional<u64> offset;
  std::optional<u64> bad_checksum;  // first place with the magic and a wrong sum
};

HeaderFound find_header(const ImageFile& file, const HeaderSearch& search);
// Why there is no header.
LoadError missing_header(const ImageFile& file, const HeaderSearch& search,
                         const HeaderFound& found, std::string_view name);

// The kernel of a multiboot request.
struct MultibootImage {
  ImageLayout layout;
  std::optional<ElfImage> elf;  // also set if address fields place the image
  std::vector<PlacedModule> modules;
  std::vector<u8> section_headers;  // empty if the file isn't ELF or has no sections
};

// Parses the file: by its address fields if given, else as ELF.
LoadResult<MultibootImage> read_multiboot_image(const ImageFile& file,
                                                const std::optional<AddressFields>& fields);

// Places the layout, the modules and the sections, and reads the symbols.
MaybeLoadError place_multiboot_image(LoadContext& context, MultibootImage& image);

}  // namespace softvt::loader
