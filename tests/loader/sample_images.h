// Tiny images of every format, built in memory.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "loader/blob_writer.h"
#include "loader/loader.h"

namespace softvt::loader::sample {

inline ImageFile file(const BlobWriter& blob, std::string name = "dir/kernel.img") {
  return {std::move(name), {blob.bytes().begin(), blob.bytes().end()}};
}

inline void pad_to(BlobWriter& blob, std::size_t size) {
  while (blob.size() < size) blob.put8(0);
}

struct BzImageOptions {
  u16 version = 0x020f;
  u16 xloadflags = 1;
  u8 relocatable = 1;
  u64 preferred = 0x1000000;
  u32 init_size = 0x200000;
  u32 payload = 0x1000;
};

inline ImageFile bzimage(const BzImageOptions& options = {}) {
  BlobWriter blob;
  pad_to(blob, 3 * 512);
  blob.patch(0x1f1, 2, 1);                     // setup_sects
  blob.patch(0x1f4, options.payload / 16, 4);  // syssize
  blob.patch(0x1fe, 0xaa55, 2);                // boot_flag
  blob.patch(0x200, 0x66eb, 2);                // jump: header ends at 0x268
  blob.patch(0x202, 0x53726448, 4);            // "HdrS"
  blob.patch(0x206, options.version, 2);       // version
  blob.patch(0x211, 1, 1);                     // loadflags: LOADED_HIGH
  blob.patch(0x22c, 0x7fffffff, 4);            // initrd_addr_max
  blob.patch(0x230, 0x200000, 4);              // kernel_alignment
  blob.patch(0x234, options.relocatable, 1);   // relocatable_kernel
  blob.patch(0x236, options.xloadflags, 2);    // xloadflags
  blob.patch(0x238, 255, 4);                   // cmdline_size
  blob.patch(0x258, options.preferred, 8);     // pref_address
  blob.patch(0x260, options.init_size, 4);     // init_size
  for (u32 i = 0; i < options.payload; ++i) blob.put8(static_cast<u8>(i * 7));
  return file(blob, "dir/vmlinuz");
}

struct ElfOptions {
  bool is64 = true;
  u16 machine = 62;
  u64 virtual_address = 0x100000;
  u64 physical_address = 0x100000;
  u64 entry_offset = 0x10;  // from the segment's start
  bool with_symbols = true;
  std::vector<u8> content = std::vector<u8>(64, 0x90);
  u64 bss = 32;
  std::vector<u8> note = {};  // an ELF note segment, if not empty
};

// Header, program headers, content at kElfContent, note, symbols, section headers.
constexpr std::size_t kElfContent = 0x100;

namespace detail {

inline unsigned word(const ElfOptions& options) { return options.is64 ? 8 : 4; }

inline void put_segment(BlobWriter& blob, const ElfOptions& options, u32 type, u64 offset,
                        u64 file_size, u64 memory_size) {
  const unsigned width = word(options);
  blob.put32(type);
  if (options.is64) blob.put32(7);
  blob.put(offset, width);
  blob.put(options.virtual_address, width);
  blob.put(options.physical_address, width);
  blob.put(file_size, width);
  blob.put(memory_size, width);
  if (!options.is64) blob.put32(7);
  blob.put(0x1000, width);
}

struct Section {
  u32 type = 0;
  u64 flags = 0;
  u64 address = 0;
  u64 offset = 0;
  u64 size = 0;
  u32 link = 0;
  u64 entry_size = 0;
};

inline void put_section(BlobWriter& blob, const ElfOptions& options, const Section& section) {
  const unsigned width = word(options);
  blob.put32(0);
  blob.put32(section.type);
  blob.put(section.flags, width);
  blob.put(section.address, width);
  blob.put(section.offset, width);
  blob.put(section.size, width);
  blob.put32(section.link);
  blob.put32(0);
  blob.put(1, width);
  blob.put(section.entry_size, width);
}

inline void put_symbol(BlobWriter& blob, const ElfOptions& options, u32 name, u64 value) {
  constexpr u8 kGlobalFunction = 0x12;
  blob.put32(name);
  if (!options.is64) {
    blob.put32(value);
    blob.put32(16);
  }
  blob.put8(kGlobalFunction);
  blob.put8(0);
  blob.put16(name == 0 ? 0 : 1);
  if (options.is64) {
    blob.put64(value);
    blob.put64(16);
  }
}

// Symbols "start" and "later", put in the wrong order.
inline void put_symbol_sections(BlobWriter& blob, const ElfOptions& options) {
  blob.align(8);
  const u64 names = blob.size();
  constexpr std::string_view kNames("\0start\0later", 13);
  blob.put_string(kNames.substr(0, 12));
  blob.align(8);
  const u64 symbols = blob.size();
  put_symbol(blob, options, 0, 0);
  put_symbol(blob, options, 7, options.virtual_address + 0x20);
  put_symbol(blob, options, 1, options.virtual_address);
  const u64 symbols_size = blob.size() - symbols;
  const u64 table = blob.size();
  put_section(blob, options, {});
  put_section(blob, options, {2, 0, 0, symbols, symbols_size, 2, options.is64 ? 24u : 16u});
  put_section(blob, options, {3, 0, 0, names, 13, 0, 0});
  blob.patch(options.is64 ? 40 : 32, table, word(options));
  blob.patch(options.is64 ? 58 : 46, options.is64 ? 64 : 40, 2);
  blob.patch(options.is64 ? 60 : 48, 3, 2);
  blob.patch(options.is64 ? 62 : 50, 2, 2);
}

}  // namespace detail

inline ImageFile elf(const ElfOptions& options = {}) {
  const unsigned width = detail::word(options);
  BlobWriter blob;
  blob.put32(0x464c457f);
  blob.put8(options.is64 ? 2 : 1);
  blob.put8(1);
  blob.put8(1);
  pad_to(blob, 16);
  blob.put16(2);
  blob.put16(options.machine);
  blob.put32(1);
  blob.put(options.virtual_address + options.entry_offset, width);
  blob.put(options.is64 ? 64 : 52, width);  // program headers
  blob.put(0, width);                       // section headers
  blob.put32(0);
  blob.put16(options.is64 ? 64 : 52);
  blob.put16(options.is64 ? 56 : 32);
  blob.put16(options.note.empty() ? 1 : 2);
  pad_to(blob, options.is64 ? 64 : 52);
  const u64 size = options.content.size();
  detail::put_segment(blob, options, 1, kElfContent, size, size + options.bss);
  if (!options.note.empty()) {
    const u64 note_size = options.note.size();
    detail::put_segment(blob, options, 4, kElfContent + size, note_size, note_size);
  }
  pad_to(blob, kElfContent);
  blob.put_bytes(options.content);
  blob.put_bytes(options.note);
  if (options.with_symbols) detail::put_symbol_sections(blob, options);
  return file(blob, "dir/kernel.elf");
}

inline std::vector<u8> to_vector(const BlobWriter& blob) {
  return {blob.bytes().begin(), blob.bytes().end()};
}

inline ElfOptions pvh_options(u32 entry = 0x100008) {
  BlobWriter note;
  note.put32(4);
  note.put32(4);
  note.put32(18);
  note.put_string("Xen");
  note.put32(entry);
  ElfOptions options;
  options.note = to_vector(note);
  return options;
}

inline std::vector<u8> multiboot1_header(u32 flags) {
  BlobWriter header;
  header.put32(0x1badb002);
  header.put32(flags);
  header.put32(u32{0} - 0x1badb002u - flags);
  pad_to(header, 64);
  return to_vector(header);
}

// Not an ELF file: placed by the address fields. The header lies at offset 16 and at 0x200010.
inline ImageFile multiboot1_raw() {
  BlobWriter blob;
  pad_to(blob, 16);
  const auto header = multiboot1_header(1u << 16);
  blob.put_bytes(std::span(header).first(12));
  blob.put32(0x200010);  // header_addr
  blob.put32(0x200000);  // load_addr
  blob.put32(0x200100);  // load_end_addr
  blob.put32(0x200180);  // bss_end_addr
  blob.put32(0x200040);  // entry_addr
  while (blob.size() < 0x120) blob.put8(0xcc);
  return file(blob);
}

// Tags are given without the end tag.
inline std::vector<u8> multiboot2_header(const BlobWriter& tags) {
  BlobWriter header;
  const u32 length = static_cast<u32>(16 + tags.size() + 8);
  header.put32(0xe85250d6);
  header.put32(0);
  header.put32(length);
  header.put32(u32{0} - 0xe85250d6u - length);
  header.put_bytes(tags.bytes());
  header.put16(0);
  header.put16(0);
  header.put32(8);
  return to_vector(header);
}

inline void put_tag(BlobWriter& tags, u16 type, u16 flags, const std::vector<u32>& words) {
  tags.put16(type);
  tags.put16(flags);
  tags.put32(8 + 4 * words.size());
  for (const u32 word : words) tags.put32(word);
  tags.align(8);
}

inline ImageFile multiboot2_elf(const BlobWriter& tags) {
  ElfOptions options;
  options.content = multiboot2_header(tags);
  return elf(options);
}

inline ImageFile boot_sector() {
  BlobWriter blob;
  pad_to(blob, 512);
  blob.patch(510, 0xaa55, 2);
  blob.put_string("second sector");
  return file(blob, "dir/boot.bin");
}

}  // namespace softvt::loader::sample
