#include "loader/loader.h"

#include <array>

#include "loader/formats.h"
#include "loader/text.h"

namespace softvt {
namespace {

using loader::LoadContext;

struct FormatRow {
  ImageFormat format;
  std::string_view name;
  bool (*matches)(const ImageFile&);  // none: only on request
  MaybeLoadError (*load)(LoadContext&);
};

// In the order in which a file is tried.
constexpr std::array kFormats{
    FormatRow{ImageFormat::BzImage, "bzimage", loader::is_bzimage, loader::load_bzimage},
    FormatRow{ImageFormat::BzImage64, "bzimage64", nullptr, loader::load_bzimage64},
    FormatRow{ImageFormat::BzImage32, "bzimage32", nullptr, loader::load_bzimage32},
    FormatRow{ImageFormat::Multiboot2, "multiboot2", loader::is_multiboot2,
              loader::load_multiboot2},
    FormatRow{ImageFormat::Multiboot, "multiboot", loader::is_multiboot1, loader::load_multiboot1},
    FormatRow{ImageFormat::Pvh, "pvh", loader::is_pvh, loader::load_pvh},
    FormatRow{ImageFormat::Elf, "elf", loader::is_elf_image, loader::load_elf},
    FormatRow{ImageFormat::Flat, "flat", loader::is_boot_sector, loader::load_flat},
};

const FormatRow* find_row(const LoadRequest& request) {
  for (const FormatRow& row : kFormats) {
    const bool wanted = request.format ? row.format == *request.format
                                       : row.matches != nullptr && row.matches(request.kernel);
    if (wanted) return &row;
  }
  return nullptr;
}

std::string describe_unknown(const ImageFile& file) {
  if (file.bytes.empty()) return "an empty file";
  const bool is_gzip = file.bytes.size() >= 2 && file.bytes[0] == 0x1f && file.bytes[1] == 0x8b;
  return is_gzip ? "a gzip-compressed file" : "none of their signatures";
}

// The formats pass addresses of strings that end with a zero byte.
MaybeLoadError check_strings(const LoadRequest& request) {
  const auto check = [&](const std::string& text) -> MaybeLoadError {
    const auto zero = text.find('\0');
    if (zero == std::string::npos) return std::nullopt;
    return LoadError{request.kernel.name, 0, "a command line without a zero byte",
                     "one at position " + std::to_string(zero)};
  };
  if (auto error = check(request.cmdline)) return error;
  for (const BootModule& module : request.modules) {
    if (auto error = check(module.cmdline)) return error;
  }
  return std::nullopt;
}

}  // namespace

std::string_view format_name(ImageFormat format) {
  for (const FormatRow& row : kFormats) {
    if (row.format == format) return row.name;
  }
  return "unknown";
}

std::optional<ImageFormat> format_from_name(std::string_view name) {
  for (const FormatRow& row : kFormats) {
    if (row.name == name) return row.format;
  }
  return std::nullopt;
}

std::string format_names() {
  std::string names;
  for (const FormatRow& row : kFormats) {
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return names;
}

LoadResult<LoadedImage> load(const LoadRequest& request, GuestMemory& memory) {
  if (auto error = check_strings(request)) return *error;
  const FormatRow* row = find_row(request);
  LoadContext context(request, memory);
  if (row == nullptr) {
    return context.kernel_error(
        0, "a bzImage, multiboot, PVH, ELF or boot sector image (or a forced format)",
        describe_unknown(request.kernel));
  }
  context.image.format = row->format;
  if (auto error = row->load(context)) return *error;
  context.image.reserved = context.placement.claims();
  context.image.memory_map = context.placement.map();
  return std::move(context.image);
}

}  // namespace softvt
