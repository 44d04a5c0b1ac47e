// Reading ELF files: headers, segments, sections, notes, symbols. Nothing here touches guest
// memory.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "loader/chunks.h"
#include "loader/loader.h"

namespace softvt::loader {

enum class ElfMachine : u16 { I386 = 3, X86_64 = 62 };
enum class ElfSegmentType : u32 { Load = 1, Interpreter = 3, Note = 4 };
enum class ElfSectionType : u32 { SymbolTable = 2, StringTable = 3, NoBits = 8 };

struct ElfSegment {
  ElfSegmentType type;
  u64 offset;
  u64 virtual_address;
  u64 physical_address;
  u64 file_size;
  u64 memory_size;
  u64 header_offset;  // of the program header itself
};

struct ElfSection {
  ElfSectionType type;
  u64 address;
  u64 offset;
  u64 size;
  u32 link;
  u64 entry_size;
  u64 header_offset;
};

struct ElfImage {
  bool is64 = false;
  ElfMachine machine = ElfMachine::I386;
  u64 entry = 0;
  u64 entry_offset = 0;  // where the file holds it
  std::vector<ElfSegment> segments;
  std::vector<ElfSection> sections;
  u64 section_table_offset = 0;
  u32 section_entry_size = 0;
  u32 section_names = 0;  // index of the section with the names
};

bool is_elf(const ImageFile& file);
LoadResult<ElfImage> parse_elf(const ImageFile& file);

// Descriptor of the first note with this owner and type; empty if there is none.
LoadResult<std::optional<std::span<const u8>>> find_elf_note(const ImageFile& file,
                                                             const ElfImage& elf,
                                                             std::string_view owner, u32 type);

// Named symbols of .symtab, sorted.
LoadResult<std::vector<Symbol>> read_elf_symbols(const ImageFile& file, const ElfImage& elf);

// The loadable segments at their physical addresses; the entry point translated to a physical one.
LoadResult<ImageLayout> elf_layout(const ImageFile& file, const ElfImage& elf);

}  // namespace softvt::loader
