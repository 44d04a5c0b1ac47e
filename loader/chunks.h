// The parts of an image with fixed places, from ELF segments or from address fields of a header.
#pragma once
#include <string>
#include <vector>

#include "loader/context.h"

namespace softvt::loader {

struct ImageChunk {
  u64 address = 0;      // physical
  u64 memory_size = 0;  // the part beyond file_size is zeroed
  u64 file_offset = 0;
  u64 file_size = 0;
  u64 blame_offset = 0;  // where the file describes this part
  std::string name;
};

struct ImageLayout {
  std::vector<ImageChunk> chunks;
  u64 entry = 0;  // physical
  u64 entry_offset = 0;
};

// First byte and one past the last; the layout has a chunk.
Window layout_window(const ImageLayout& layout);

// Moves everything by a distance (modulo 2^64).
void move_layout(ImageLayout& layout, u64 distance);

// Claims all chunks, then fills them. Refuses an entry outside of them.
MaybeLoadError place_layout(LoadContext& context, const ImageLayout& layout);

// The "address fields" of multiboot 1 (flag 16) and of multiboot 2 (address tag), which place an
// image that needn't be an ELF file.
struct AddressFields {
  u64 header_offset = 0;  // where the multiboot header lies in the file
  u64 fields_offset = 0;  // where the four fields lie, for errors
  u64 header_address = 0;
  u64 load_address = 0;
  bool load_from_file_start = false;
  u64 load_end = 0;  // 0: to the end of the file
  u64 bss_end = 0;   // 0: no bss
};
LoadResult<ImageLayout> layout_from_fields(const ImageFile& file, const AddressFields& fields);

}  // namespace softvt::loader
