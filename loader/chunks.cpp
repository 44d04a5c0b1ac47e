#include "loader/chunks.h"

#include <algorithm>

#include "loader/image_reader.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

MaybeLoadError claim_chunk(LoadContext& context, const ImageChunk& chunk) {
  ImageReader reader(context.kernel());
  if (chunk.file_size > chunk.memory_size) {
    return reader.make_error(chunk.blame_offset,
                             "at least " + hex(chunk.file_size) + " bytes of memory for the " +
                                 hex(chunk.file_size) + " bytes of " + chunk.name + " in the file",
                             hex(chunk.memory_size));
  }
  if (!reader.has(chunk.file_offset, chunk.file_size)) {
    return reader.make_error(chunk.blame_offset,
                             chunk.name + " within the file of " + hex(reader.size()) + " bytes",
                             hex(chunk.file_size) + " bytes at " + hex(chunk.file_offset));
  }
  return claim(context, {context.kernel(), chunk.blame_offset}, chunk.address, chunk.memory_size,
               chunk.name);
}

MaybeLoadError fill_chunk(LoadContext& context, const ImageChunk& chunk) {
  const Blame blame{context.kernel(), chunk.blame_offset};
  const auto bytes = std::span(context.kernel().bytes).subspan(chunk.file_offset, chunk.file_size);
  if (auto error = write_claimed(context, blame, chunk.address, bytes)) return error;
  return zero_claimed(context, blame, chunk.address + chunk.file_size,
                      chunk.memory_size - chunk.file_size);
}

}  // namespace

Window layout_window(const ImageLayout& layout) {
  Window window{~u64{0}, 0};
  for (const ImageChunk& chunk : layout.chunks) {
    const u64 room = ~u64{0} - chunk.address;
    window.start = std::min(window.start, chunk.address);
    window.end = std::max(window.end, chunk.address + std::min(room, chunk.memory_size));
  }
  return window;
}

void move_layout(ImageLayout& layout, u64 distance) {
  for (ImageChunk& chunk : layout.chunks) chunk.address += distance;
  layout.entry += distance;
}

MaybeLoadError place_layout(LoadContext& context, const ImageLayout& layout) {
  for (const ImageChunk& chunk : layout.chunks) {
    if (auto error = claim_chunk(context, chunk)) return error;
  }
  const bool entry_is_loaded = std::any_of(
      layout.chunks.begin(), layout.chunks.end(),
      [&](const ImageChunk& chunk) { return layout.entry - chunk.address < chunk.memory_size; });
  if (!entry_is_loaded) {
    return context.kernel_error(layout.entry_offset, "an entry point within the loaded image",
                                hex(layout.entry));
  }
  for (const ImageChunk& chunk : layout.chunks) {
    if (auto error = fill_chunk(context, chunk)) return error;
  }
  return std::nullopt;
}

LoadResult<ImageLayout> layout_from_fields(const ImageFile& file, const AddressFields& fields) {
  ImageReader reader(file);
  const u64 before_header = fields.header_address - fields.load_address;
  const bool starts_in_file =
      fields.load_from_file_start ||
      (fields.header_address >= fields.load_address && before_header <= fields.header_offset);
  if (!starts_in_file) {
    return reader.make_error(fields.fields_offset,
                             "a load address at most " + hex(fields.header_offset) +
                                 " below the header address " + hex(fields.header_address),
                             hex(fields.load_address));
  }
  ImageChunk chunk;
  chunk.name = "the image";
  chunk.blame_offset = fields.fields_offset;
  chunk.file_offset = fields.load_from_file_start ? 0 : fields.header_offset - before_header;
  chunk.address = fields.load_from_file_start ? fields.header_address - fields.header_offset
                                              : fields.load_address;
  if (chunk.address > fields.header_address) {
    return reader.make_error(fields.fields_offset,
                             "a header address of at least " + hex(fields.header_offset),
                             hex(fields.header_address));
  }
  chunk.file_size = file.bytes.size() - chunk.file_offset;
  if (fields.load_end != 0) {
    if (fields.load_end < chunk.address) {
      return reader.make_error(fields.fields_offset, "a load end above " + hex(chunk.address),
                               hex(fields.load_end));
    }
    chunk.file_size = fields.load_end - chunk.address;
  }
  chunk.memory_size = chunk.file_size;
  if (fields.bss_end != 0) {
    if (fields.bss_end < chunk.address + chunk.file_size) {
      return reader.make_error(fields.fields_offset,
                               "a bss end of at least " + hex(chunk.address + chunk.file_size),
                               hex(fields.bss_end));
    }
    chunk.memory_size = fields.bss_end - chunk.address;
  }
  ImageLayout layout;
  layout.chunks.push_back(chunk);
  return layout;
}

}  // namespace softvt::loader
