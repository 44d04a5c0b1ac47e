// Where ELF structures keep their fields, in 32-bit and in 64-bit files
// (System V ABI, "ELF Header", "Program Header", "Section Header", "Symbol Table").
#pragma once
#include "cpu/types.h"
#include "loader/image_reader.h"

namespace softvt::loader {

struct ElfField {
  u8 offset32, width32;
  u8 offset64, width64;
  const char* what;

  u64 read(ImageReader& reader, bool is64, u64 base) const {
    return reader.get(base + (is64 ? offset64 : offset32), is64 ? width64 : width32, what);
  }
};

struct ElfSize {
  u8 size32, size64;
  u8 of(bool is64) const { return is64 ? size64 : size32; }
};

namespace elf_header {
constexpr ElfField kType{16, 2, 16, 2, "the ELF header"};
constexpr ElfField kMachine{18, 2, 18, 2, "the ELF header"};
constexpr ElfField kEntry{24, 4, 24, 8, "the ELF header"};
constexpr ElfField kSegmentTable{28, 4, 32, 8, "the ELF header"};
constexpr ElfField kSectionTable{32, 4, 40, 8, "the ELF header"};
constexpr ElfField kSegmentSize{42, 2, 54, 2, "the ELF header"};
constexpr ElfField kSegmentCount{44, 2, 56, 2, "the ELF header"};
constexpr ElfField kSectionSize{46, 2, 58, 2, "the ELF header"};
constexpr ElfField kSectionCount{48, 2, 60, 2, "the ELF header"};
constexpr ElfField kSectionNames{50, 2, 62, 2, "the ELF header"};
}  // namespace elf_header

namespace elf_segment {
constexpr ElfSize kSize{32, 56};
constexpr ElfField kType{0, 4, 0, 4, "a program header"};
constexpr ElfField kOffset{4, 4, 8, 8, "a program header"};
constexpr ElfField kVirtualAddress{8, 4, 16, 8, "a program header"};
constexpr ElfField kPhysicalAddress{12, 4, 24, 8, "a program header"};
constexpr ElfField kFileSize{16, 4, 32, 8, "a program header"};
constexpr ElfField kMemorySize{20, 4, 40, 8, "a program header"};
}  // namespace elf_segment

namespace elf_section {
constexpr ElfSize kSize{40, 64};
constexpr ElfField kType{4, 4, 4, 4, "a section header"};
constexpr ElfField kAddress{12, 4, 16, 8, "a section header"};
constexpr ElfField kOffset{16, 4, 24, 8, "a section header"};
constexpr ElfField kByteSize{20, 4, 32, 8, "a section header"};
constexpr ElfField kLink{24, 4, 40, 4, "a section header"};
constexpr ElfField kEntrySize{36, 4, 56, 8, "a section header"};
}  // namespace elf_section

namespace elf_symbol {
constexpr ElfSize kSize{16, 24};
constexpr ElfField kName{0, 4, 0, 4, "a symbol"};
constexpr ElfField kInfo{12, 1, 4, 1, "a symbol"};
constexpr ElfField kSectionIndex{14, 2, 6, 2, "a symbol"};
constexpr ElfField kValue{4, 4, 8, 8, "a symbol"};
constexpr ElfField kByteSize{8, 4, 16, 8, "a symbol"};
}  // namespace elf_symbol

}  // namespace softvt::loader
