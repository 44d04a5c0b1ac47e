#include "loader/elf_sections.h"

#include "loader/elf_fields.h"
#include "loader/image_reader.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

bool is_wanted(const ElfSection& section) {
  const bool is_table =
      section.type == ElfSectionType::SymbolTable || section.type == ElfSectionType::StringTable;
  return is_table && section.address == 0 && section.size != 0;
}

LoadResult<u64> place_section(LoadContext& context, const ElfSection& section, std::size_t index,
                              u64 lowest) {
  constexpr u64 kAlignment = 16;
  const std::string name = "ELF section " + std::to_string(index);
  const Blame blame{context.kernel(), section.header_offset};
  ImageReader reader(context.kernel());
  const auto bytes = reader.get_bytes(section.offset, section.size, name);
  if (reader.error()) return *reader.error();
  auto at = context.placement.lowest(section.size, kAlignment, {lowest, kMaxLowRamEnd});
  if (!at) at = context.placement.lowest(section.size, kAlignment, {kOneMiB, kMaxLowRamEnd});
  if (!at) {
    return reader.make_error(section.header_offset,
                             hex(section.size) + " bytes of free RAM for " + name,
                             "no gap of that size below 3 GiB");
  }
  if (auto error = claim(context, blame, *at, section.size, name)) return *error;
  if (auto error = write_claimed(context, blame, *at, bytes)) return *error;
  return *at;
}

}  // namespace

LoadResult<std::vector<u8>> place_elf_sections(LoadContext& context, const ElfImage& elf,
                                               u64 lowest) {
  ImageReader reader(context.kernel());
  const auto bytes = reader.get_bytes(
      elf.section_table_offset, elf.sections.size() * elf.section_entry_size, "section headers");
  if (reader.error()) return *reader.error();
  std::vector<u8> table(bytes.begin(), bytes.end());

  const ElfField& field = elf_section::kAddress;
  const unsigned width = elf.is64 ? field.width64 : field.width32;
  const unsigned offset = elf.is64 ? field.offset64 : field.offset32;
  for (std::size_t i = 0; i < elf.sections.size(); ++i) {
    if (!is_wanted(elf.sections[i])) continue;
    const auto at = place_section(context, elf.sections[i], i, lowest);
    if (!at) return at.error();
    const u64 base = i * elf.section_entry_size + offset;
    for (unsigned k = 0; k < width; ++k) table[base + k] = static_cast<u8>(*at >> (8 * k));
  }
  return table;
}

}  // namespace softvt::loader
