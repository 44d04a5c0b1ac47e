#include "loader/multiboot2_header.h"

#include <algorithm>
#include <array>

#include "loader/image_reader.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

constexpr const char* kWhat = "the multiboot2 header";
constexpr u32 kArchitectureI386 = 0;
constexpr u32 kHeaderSize = 16;
constexpr u32 kTagHeaderSize = 8;
constexpr u16 kOptional = 1;
constexpr u32 kConsoleRequired = 1;

constexpr std::array kKnownInfo{
    Multiboot2Info::Cmdline,     Multiboot2Info::LoaderName, Multiboot2Info::Module,
    Multiboot2Info::BasicMemory, Multiboot2Info::MemoryMap,  Multiboot2Info::ElfSections,
    Multiboot2Info::AcpiOld,     Multiboot2Info::AcpiNew,    Multiboot2Info::LoadBase,
};

struct Tag {
  u16 type = 0;
  bool optional = false;
  u32 size = 0;
  u64 offset = 0;  // in the file
};

using Header = Multiboot2Header;
using TagHandler = MaybeLoadError (*)(ImageReader&, const Tag&, u64 header_offset, Header&);

MaybeLoadError ignore(ImageReader&, const Tag&, u64, Header&) { return std::nullopt; }

MaybeLoadError read_information_request(ImageReader& reader, const Tag& tag, u64, Header&) {
  if (tag.optional) return std::nullopt;
  for (u64 at = tag.offset + kTagHeaderSize; at + 4 <= tag.offset + tag.size; at += 4) {
    const u32 type = reader.get32(at, kWhat);
    const bool known = std::any_of(kKnownInfo.begin(), kKnownInfo.end(),
                                   [&](auto info) { return type == static_cast<u32>(info); });
    if (!known) {
      return reader.make_error(at, "a request for information that this loader has",
                               "a required request for type " + std::to_string(type));
    }
  }
  return std::nullopt;
}

MaybeLoadError read_addresses(ImageReader& reader, const Tag& tag, u64 header_offset,
                              Header& header) {
  constexpr u32 kFromFileStart = 0xffffffff;
  AddressFields fields;
  fields.header_offset = header_offset;
  fields.fields_offset = tag.offset + kTagHeaderSize;
  fields.header_address = reader.get32(tag.offset + 8, kWhat);
  fields.load_address = reader.get32(tag.offset + 12, kWhat);
  fields.load_from_file_start = fields.load_address == kFromFileStart;
  fields.load_end = reader.get32(tag.offset + 16, kWhat);
  fields.bss_end = reader.get32(tag.offset + 20, kWhat);
  header.fields = fields;
  return std::nullopt;
}

MaybeLoadError read_entry(ImageReader& reader, const Tag& tag, u64, Header& header) {
  header.entry = reader.get32(tag.offset + 8, kWhat);
  header.entry_offset = tag.offset + 8;
  return std::nullopt;
}

MaybeLoadError read_console(ImageReader& reader, const Tag& tag, u64, Header&) {
  const u32 flags = reader.get32(tag.offset + 8, kWhat);
  if (tag.optional || (flags & kConsoleRequired) == 0) return std::nullopt;
  return reader.make_error(tag.offset + 8, "an image that needs no video console",
                           "console flags " + hex(flags));
}

MaybeLoadError read_framebuffer(ImageReader& reader, const Tag& tag, u64, Header&) {
  if (tag.optional) return std::nullopt;
  return reader.make_error(tag.offset, "an image that needs no framebuffer",
                           "a required framebuffer tag");
}

MaybeLoadError read_relocation(ImageReader& reader, const Tag& tag, u64, Header& header) {
  Relocation relocation;
  relocation.offset = tag.offset;
  relocation.lowest = reader.get32(tag.offset + 8, kWhat);
  relocation.highest = reader.get32(tag.offset + 12, kWhat);
  relocation.alignment = reader.get32(tag.offset + 16, kWhat);
  const u32 preference = reader.get32(tag.offset + 20, kWhat);
  const u64 alignment = relocation.alignment;
  if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
    return reader.make_error(tag.offset + 16, "a power of two as alignment", hex(alignment));
  }
  if (preference > static_cast<u32>(LoadPreference::Highest)) {
    return reader.make_error(tag.offset + 20, "a load preference of 0, 1 or 2",
                             std::to_string(preference));
  }
  relocation.preference = static_cast<LoadPreference>(preference);
  header.relocation = relocation;
  return std::nullopt;
}

struct TagRow {
  u16 type;
  u32 size;  // the least that the tag must have
  TagHandler read;
};
// 3.1.3 "General tag structure" to 3.1.13 "Relocatable header tag". The EFI tags are about starting
// from EFI, which this loader never does.
constexpr std::array kTags{
    TagRow{1, 8, read_information_request},
    TagRow{2, 24, read_addresses},
    TagRow{3, 12, read_entry},
    TagRow{4, 12, read_console},
    TagRow{5, 20, read_framebuffer},
    TagRow{6, 8, ignore},   // module alignment: modules are always page aligned
    TagRow{7, 8, ignore},   // EFI boot services
    TagRow{8, 12, ignore},  // EFI i386 entry
    TagRow{9, 12, ignore},  // EFI amd64 entry
    TagRow{10, 24, read_relocation},
};

MaybeLoadError read_tag(ImageReader& reader, const Tag& tag, u64 header_offset, Header& header) {
  for (const TagRow& row : kTags) {
    if (row.type != tag.type) continue;
    if (tag.size < row.size) {
      return reader.make_error(
          tag.offset + 4,
          "at least " + std::to_string(row.size) + " bytes for tag " + std::to_string(tag.type),
          std::to_string(tag.size));
    }
    return row.read(reader, tag, header_offset, header);
  }
  if (tag.optional) return std::nullopt;
  return reader.make_error(tag.offset, "a header tag of type 0 to 10",
                           "a required tag of type " + std::to_string(tag.type));
}

}  // namespace

LoadResult<Multiboot2Header> read_multiboot2_header(const ImageFile& file) {
  const HeaderFound found = find_header(file, kMultiboot2Search);
  if (!found.offset) return missing_header(file, kMultiboot2Search, found, "multiboot2");
  const u64 start = *found.offset;
  ImageReader reader(file);
  const u32 architecture = reader.get32(start + 4, kWhat);
  if (architecture != kArchitectureI386) {
    return reader.make_error(start + 4, "architecture 0 (i386)", std::to_string(architecture));
  }
  const u64 length = reader.get32(start + 8, kWhat);
  if (length < kHeaderSize || start + length > kMultiboot2Search.limit) {
    return reader.make_error(start + 8, "a header within the first 32768 bytes",
                             hex(length) + " bytes at " + hex(start));
  }
  reader.get_bytes(start, length, kWhat);
  if (reader.error()) return *reader.error();

  Header header;
  const u64 end = start + length;
  for (u64 at = start + kHeaderSize; at < end;) {
    if (end - at < kTagHeaderSize) {
      return reader.make_error(at, "8 bytes of a header tag", "the end of the header");
    }
    const Tag tag{reader.get16(at, kWhat), (reader.get16(at + 2, kWhat) & kOptional) != 0,
                  reader.get32(at + 4, kWhat), at};
    if (tag.size < kTagHeaderSize || tag.size > end - at) {
      return reader.make_error(at + 4, "a tag size from 8 to " + std::to_string(end - at),
                               std::to_string(tag.size));
    }
    if (tag.type == 0) return header;
    if (auto error = read_tag(reader, tag, start, header)) return *error;
    at += (u64{tag.size} + 7) & ~u64{7};
  }
  return reader.make_error(end, "an end tag", "the end of the header");
}

}  // namespace softvt::loader
