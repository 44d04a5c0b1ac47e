#include "loader/elf.h"

#include <algorithm>
#include <array>
#include <string>

#include "loader/elf_fields.h"
#include "loader/image_reader.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

constexpr std::array<u8, 4> kMagic{0x7f, 'E', 'L', 'F'};
constexpr u64 kClassOffset = 4;
constexpr u64 kDataOffset = 5;
constexpr u8 kClass32 = 1;
constexpr u8 kClass64 = 2;
constexpr u8 kLittleEndian = 1;
constexpr u16 kTypeExecutable = 2;
constexpr u16 kTypeShared = 3;
// e_phnum with this value means that the count is elsewhere: no kernel has that many segments.
constexpr u64 kTooManySegments = 0xffff;

MaybeLoadError check_identity(ImageReader& reader) {
  const u8 elf_class = reader.get8(kClassOffset, "the ELF header");
  const u8 data = reader.get8(kDataOffset, "the ELF header");
  if (reader.error()) return reader.error();
  if (elf_class != kClass32 && elf_class != kClass64) {
    return reader.make_error(kClassOffset, "ELF class 1 (32-bit) or 2 (64-bit)",
                             std::to_string(elf_class));
  }
  if (data != kLittleEndian) {
    return reader.make_error(kDataOffset, "ELF data encoding 1 (little-endian)",
                             std::to_string(data));
  }
  return std::nullopt;
}

MaybeLoadError check_kind(ImageReader& reader, bool is64) {
  const u64 type = elf_header::kType.read(reader, is64, 0);
  const u64 machine = elf_header::kMachine.read(reader, is64, 0);
  if (reader.error()) return reader.error();
  if (type != kTypeExecutable && type != kTypeShared) {
    return reader.make_error(elf_header::kType.offset64, "ELF type 2 (executable) or 3 (shared)",
                             std::to_string(type));
  }
  const bool is_x86 = machine == static_cast<u64>(ElfMachine::I386) ||
                      machine == static_cast<u64>(ElfMachine::X86_64);
  if (!is_x86) {
    return reader.make_error(elf_header::kMachine.offset64, "ELF machine 3 (i386) or 62 (x86-64)",
                             std::to_string(machine));
  }
  return std::nullopt;
}

// Checks that a table of `count` entries lies within the file.
MaybeLoadError check_table(ImageReader& reader, const ElfField& size_field, bool is64, u64 table,
                           u64 count, u64 entry_size, u64 right_entry_size, const char* what) {
  if (count == 0) return std::nullopt;
  if (entry_size != right_entry_size) {
    return reader.make_error(is64 ? size_field.offset64 : size_field.offset32,
                             std::to_string(right_entry_size) + " bytes for each of the " + what,
                             std::to_string(entry_size));
  }
  reader.get_bytes(table, count * entry_size, what);
  return reader.error();
}

MaybeLoadError read_segments(ImageReader& reader, ElfImage& elf) {
  const bool is64 = elf.is64;
  const u64 table = elf_header::kSegmentTable.read(reader, is64, 0);
  const u64 size = elf_header::kSegmentSize.read(reader, is64, 0);
  const u64 count = elf_header::kSegmentCount.read(reader, is64, 0);
  if (reader.error()) return reader.error();
  const ElfField& count_field = elf_header::kSegmentCount;
  if (count == kTooManySegments) {
    return reader.make_error(is64 ? count_field.offset64 : count_field.offset32,
                             "fewer than 65535 program headers", std::to_string(count));
  }
  if (auto error = check_table(reader, elf_header::kSegmentSize, is64, table, count, size,
                               elf_segment::kSize.of(is64), "program headers")) {
    return error;
  }
  for (u64 i = 0; i < count; ++i) {
    const u64 base = table + i * size;
    elf.segments.push_back(
        {static_cast<ElfSegmentType>(elf_segment::kType.read(reader, is64, base)),
         elf_segment::kOffset.read(reader, is64, base),
         elf_segment::kVirtualAddress.read(reader, is64, base),
         elf_segment::kPhysicalAddress.read(reader, is64, base),
         elf_segment::kFileSize.read(reader, is64, base),
         elf_segment::kMemorySize.read(reader, is64, base), base});
  }
  return reader.error();
}

MaybeLoadError read_sections(ImageReader& reader, ElfImage& elf) {
  const bool is64 = elf.is64;
  const u64 table = elf_header::kSectionTable.read(reader, is64, 0);
  const u64 size = elf_header::kSectionSize.read(reader, is64, 0);
  const u64 count = elf_header::kSectionCount.read(reader, is64, 0);
  elf.section_names = static_cast<u32>(elf_header::kSectionNames.read(reader, is64, 0));
  elf.section_table_offset = table;
  elf.section_entry_size = static_cast<u32>(size);
  if (reader.error()) return reader.error();
  if (auto error = check_table(reader, elf_header::kSectionSize, is64, table, count, size,
                               elf_section::kSize.of(is64), "section headers")) {
    return error;
  }
  for (u64 i = 0; i < count; ++i) {
    const u64 base = table + i * size;
    elf.sections.push_back(
        {static_cast<ElfSectionType>(elf_section::kType.read(reader, is64, base)),
         elf_section::kAddress.read(reader, is64, base),
         elf_section::kOffset.read(reader, is64, base),
         elf_section::kByteSize.read(reader, is64, base),
         static_cast<u32>(elf_section::kLink.read(reader, is64, base)),
         elf_section::kEntrySize.read(reader, is64, base), base});
  }
  return reader.error();
}

// Code may be linked at one address and loaded at another: the entry point is a virtual address if
// a segment holds it as such, else it must be physical already.
u64 physical_entry(const ElfImage& elf) {
  for (const ElfSegment& segment : elf.segments) {
    const bool holds_entry = segment.type == ElfSegmentType::Load &&
                             elf.entry - segment.virtual_address < segment.memory_size;
    if (holds_entry) return segment.physical_address + (elf.entry - segment.virtual_address);
  }
  return elf.entry;
}

u64 align4(u64 value) { return (value + 3) & ~u64{3}; }

}  // namespace

bool is_elf(const ImageFile& file) {
  return file.bytes.size() >= kMagic.size() &&
         std::equal(kMagic.begin(), kMagic.end(), file.bytes.begin());
}

LoadResult<ElfImage> parse_elf(const ImageFile& file) {
  ImageReader reader(file);
  if (!is_elf(file)) {
    return reader.make_error(0, "the ELF magic 7f 45 4c 46", "other bytes");
  }
  if (auto error = check_identity(reader)) return *error;
  ElfImage elf;
  elf.is64 = file.bytes[kClassOffset] == kClass64;
  if (auto error = check_kind(reader, elf.is64)) return *error;
  elf.machine = static_cast<ElfMachine>(elf_header::kMachine.read(reader, elf.is64, 0));
  elf.entry = elf_header::kEntry.read(reader, elf.is64, 0);
  elf.entry_offset = elf_header::kEntry.offset64;
  if (auto error = read_segments(reader, elf)) return *error;
  if (auto error = read_sections(reader, elf)) return *error;
  return elf;
}

LoadResult<std::optional<std::span<const u8>>> find_elf_note(const ImageFile& file,
                                                             const ElfImage& elf,
                                                             std::string_view owner, u32 type) {
  constexpr u64 kNoteHeaderSize = 12;
  using Found = std::optional<std::span<const u8>>;
  ImageReader reader(file);
  u64 total_size = 0;
  for (const ElfSegment& segment : elf.segments) {
    if (segment.type != ElfSegmentType::Note) continue;
    reader.get_bytes(segment.offset, segment.file_size, "an ELF note segment");
    if (reader.error()) return *reader.error();
    // Thousands of headers for the same bytes would take a long time for nothing.
    total_size += segment.file_size;
    if (total_size > reader.size()) {
      return reader.make_error(segment.header_offset, "notes smaller than the file",
                               hex(total_size) + " bytes");
    }
    const u64 end = segment.offset + segment.file_size;
    for (u64 at = segment.offset; at < end && end - at >= kNoteHeaderSize;) {
      const u64 name_size = reader.get32(at, "an ELF note");
      const u64 descriptor_size = reader.get32(at + 4, "an ELF note");
      const u32 note_type = reader.get32(at + 8, "an ELF note");
      const u64 descriptor = at + kNoteHeaderSize + align4(name_size);
      if (descriptor + descriptor_size > end) {
        return reader.make_error(
            at, "an ELF note that ends before " + hex(end),
            hex(name_size) + " bytes of name and " + hex(descriptor_size) + " of descriptor");
      }
      const auto name = reader.get_bytes(at + kNoteHeaderSize, name_size, "an ELF note");
      const std::string name_text(name.begin(), name.end());
      if (note_type == type && name_text == std::string(owner) + '\0') {
        return Found(reader.get_bytes(descriptor, descriptor_size, "an ELF note"));
      }
      at = descriptor + align4(descriptor_size);
    }
  }
  return Found();
}

LoadResult<ImageLayout> elf_layout(const ImageFile& file, const ElfImage& elf) {
  ImageLayout layout;
  for (std::size_t i = 0; i < elf.segments.size(); ++i) {
    const ElfSegment& segment = elf.segments[i];
    if (segment.type == ElfSegmentType::Interpreter) {
      return ImageReader(file).make_error(segment.header_offset, "a freestanding image",
                                          "a program for an operating system (it names a loader)");
    }
    if (segment.type != ElfSegmentType::Load) continue;
    if (segment.memory_size == 0 && segment.file_size == 0) continue;
    layout.chunks.push_back({segment.physical_address, segment.memory_size, segment.offset,
                             segment.file_size, segment.header_offset,
                             "segment " + std::to_string(i)});
  }
  if (layout.chunks.empty()) {
    const ElfField& count = elf_header::kSegmentCount;
    return ImageReader(file).make_error(elf.is64 ? count.offset64 : count.offset32,
                                        "at least one loadable segment", "none");
  }
  layout.entry = physical_entry(elf);
  layout.entry_offset = elf.entry_offset;
  return layout;
}

}  // namespace softvt::loader
