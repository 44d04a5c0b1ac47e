#include "loader/multiboot_image.h"

#include <algorithm>

#include "loader/elf_sections.h"
#include "loader/image_reader.h"
#include "loader/text.h"

namespace softvt::loader {

HeaderFound find_header(const ImageFile& file, const HeaderSearch& search) {
  HeaderFound found;
  ImageReader reader(file);
  const u64 size = u64{search.checked_words} * 4;
  for (u64 at = 0; at + size <= std::min(search.limit, reader.size()); at += search.step) {
    if (reader.get32(at, "") != search.magic) continue;
    u32 sum = 0;
    for (unsigned i = 0; i < search.checked_words; ++i) sum += reader.get32(at + u64{i} * 4, "");
    if (sum == 0) {
      found.offset = at;
      return found;
    }
    if (!found.bad_checksum) found.bad_checksum = at;
  }
  return found;
}

LoadError missing_header(const ImageFile& file, const HeaderSearch& search,
                         const HeaderFound& found, std::string_view name) {
  const std::string wanted = "a " + std::string(name) + " header";
  if (found.bad_checksum) {
    return {file.name, *found.bad_checksum, wanted + " whose words add up to 0",
            "a wrong checksum"};
  }
  return {file.name, 0, wanted + " in the first " + std::to_string(search.limit) + " bytes",
          "none"};
}

LoadResult<MultibootImage> read_multiboot_image(const ImageFile& file,
                                                const std::optional<AddressFields>& fields) {
  MultibootImage image;
  if (is_elf(file)) {
    auto elf = parse_elf(file);
    if (!elf) return elf.error();
    image.elf = std::move(*elf);
  } else if (!fields) {
    return ImageReader(file).make_error(0, "an ELF file, or address fields in the header",
                                        "neither");
  }
  auto layout = fields ? layout_from_fields(file, *fields) : elf_layout(file, *image.elf);
  if (!layout) return layout.error();
  image.layout = std::move(*layout);
  return image;
}

MaybeLoadError place_multiboot_image(LoadContext& context, MultibootImage& image) {
  if (image.layout.entry >= kFourGiB) {
    return context.kernel_error(image.layout.entry_offset, "an entry point below 4 GiB",
                                hex(image.layout.entry));
  }
  if (auto error = place_layout(context, image.layout)) return error;
  const u64 image_end = layout_window(image.layout).end;
  auto modules = place_modules(context, image_end, ModuleStrings::NameFirst);
  if (!modules) return modules.error();
  image.modules = std::move(*modules);
  if (!image.elf) return std::nullopt;

  auto symbols = read_elf_symbols(context.kernel(), *image.elf);
  if (!symbols) return symbols.error();
  context.image.symbols = std::move(*symbols);
  if (image.elf->sections.empty()) return std::nullopt;
  auto headers = place_elf_sections(context, *image.elf, image_end);
  if (!headers) return headers.error();
  image.section_headers = std::move(*headers);
  return std::nullopt;
}

}  // namespace softvt::loader
