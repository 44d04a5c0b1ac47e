// ELF section headers as multiboot guests get them.
#pragma once
#include <vector>

#include "loader/elf.h"

namespace softvt::loader {

// Copies the symbol and string tables into guest memory, from `lowest` up, and answers the section
// header table with their addresses filled in. Other sections that aren't part of a segment (debug
// information above all) keep address 0: no guest needs them, and they may be larger than its RAM.
LoadResult<std::vector<u8>> place_elf_sections(LoadContext& context, const ElfImage& elf,
                                               u64 lowest);

}  // namespace softvt::loader
