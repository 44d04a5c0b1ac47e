#include <algorithm>
#include <string>
#include <tuple>

#include "loader/elf.h"
#include "loader/elf_fields.h"
#include "loader/image_reader.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

// Many symbols may share one long string: without a limit a small file could ask for any amount of
// host memory.
constexpr u64 kMaxNameBytes = u64{64} << 20;

enum class SymbolKind : u8 { None = 0, Object = 1, Function = 2 };

bool is_wanted(u64 info, u64 section_index) {
  const auto kind = static_cast<SymbolKind>(info & 0xf);
  const bool is_place =
      kind == SymbolKind::None || kind == SymbolKind::Object || kind == SymbolKind::Function;
  return is_place && section_index != 0;  // section 0: defined elsewhere
}

class SymbolReader {
 public:
  SymbolReader(const ImageFile& file, const ElfImage& elf) : reader_(file), elf_(elf) {}

  MaybeLoadError read_table(const ElfSection& table) {
    const u64 entry_size = elf_symbol::kSize.of(elf_.is64);
    if (table.link >= elf_.sections.size()) {
      return reader_.make_error(
          table.header_offset,
          "a symbol table linked to one of " + std::to_string(elf_.sections.size()) + " sections",
          "section " + std::to_string(table.link));
    }
    const ElfSection& strings = elf_.sections[table.link];
    reader_.get_bytes(table.offset, table.size, "the symbol table");
    names_ = reader_.get_bytes(strings.offset, strings.size, "the symbol names");
    if (reader_.error()) return reader_.error();
    for (u64 i = 0; i < table.size / entry_size; ++i) {
      if (auto error = read_symbol(table.offset + i * entry_size)) return error;
    }
    return std::nullopt;
  }

  std::vector<Symbol> take_sorted() {
    std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
      return std::tie(a.address, a.name, a.size) < std::tie(b.address, b.name, b.size);
    });
    return std::move(symbols_);
  }

 private:
  MaybeLoadError read_symbol(u64 base) {
    const bool is64 = elf_.is64;
    const u64 name = elf_symbol::kName.read(reader_, is64, base);
    const u64 info = elf_symbol::kInfo.read(reader_, is64, base);
    const u64 section_index = elf_symbol::kSectionIndex.read(reader_, is64, base);
    if (name == 0 || !is_wanted(info, section_index)) return std::nullopt;
    if (name >= names_.size()) {
      return reader_.make_error(base,
                                "a symbol name within " + hex(names_.size()) + " bytes of names",
                                "offset " + hex(name));
    }
    const auto start = names_.begin() + static_cast<std::ptrdiff_t>(name);
    const auto end = std::find(start, names_.end(), u8{0});
    name_bytes_ += static_cast<u64>(end - start);
    if (name_bytes_ > kMaxNameBytes) {
      return reader_.make_error(base, "at most " + hex(kMaxNameBytes) + " bytes of symbol names",
                                "more");
    }
    if (start == end) return std::nullopt;
    symbols_.push_back({elf_symbol::kValue.read(reader_, is64, base),
                        elf_symbol::kByteSize.read(reader_, is64, base), std::string(start, end)});
    return std::nullopt;
  }

  ImageReader reader_;
  const ElfImage& elf_;
  std::span<const u8> names_;
  std::vector<Symbol> symbols_;
  u64 name_bytes_ = 0;
};

}  // namespace

LoadResult<std::vector<Symbol>> read_elf_symbols(const ImageFile& file, const ElfImage& elf) {
  SymbolReader symbols(file, elf);
  bool seen = false;
  for (const ElfSection& section : elf.sections) {
    if (section.type != ElfSectionType::SymbolTable) continue;
    if (seen) {
      return ImageReader(file).make_error(section.header_offset, "one symbol table", "another");
    }
    seen = true;
    if (auto error = symbols.read_table(section)) return *error;
  }
  return symbols.take_sorted();
}

}  // namespace softvt::loader
