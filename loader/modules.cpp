#include "loader/modules.h"

#include "loader/text.h"

namespace softvt::loader {
namespace {

LoadResult<PlacedModule> place_module(LoadContext& context, u64 lowest, const ImageFile& file,
                                      std::size_t index) {
  const u64 size = file.bytes.size();
  auto at = context.placement.lowest(size, kPageSize, {lowest, kMaxLowRamEnd});
  if (!at) at = context.placement.lowest(size, kPageSize, {kOneMiB, kMaxLowRamEnd});
  if (!at) {
    return LoadError{file.name, 0,
                     hex(size) + " bytes of free RAM for module " + std::to_string(index),
                     "no gap of that size below 3 GiB"};
  }
  // Whole pages: what a guest frees by page must not be a neighbour's.
  const u64 pages = (size + kPageMask) & ~kPageMask;
  const std::string name = "module " + std::to_string(index) + " (" + base_name(file.name) + ")";
  const bool whole = !context.placement.claim(*at, pages, name);
  if (!whole) {
    if (auto error = claim(context, {file, 0}, *at, size, name)) return *error;
  }
  if (auto error = write_claimed(context, {file, 0}, *at, file.bytes)) return *error;
  return PlacedModule{*at, size, {}};
}

}  // namespace

std::string named_cmdline(const ImageFile& file, const std::string& arguments) {
  const std::string name = base_name(file.name);
  return arguments.empty() ? name : name + " " + arguments;
}

LoadResult<std::vector<PlacedModule>> place_modules(LoadContext& context, u64 lowest,
                                                    ModuleStrings strings) {
  std::vector<PlacedModule> placed;
  const auto add = [&](const ImageFile& file, const std::string& arguments) -> MaybeLoadError {
    auto module = place_module(context, lowest, file, placed.size());
    if (!module) return module.error();
    module->cmdline =
        strings == ModuleStrings::NameFirst ? named_cmdline(file, arguments) : arguments;
    placed.push_back(*module);
    return std::nullopt;
  };
  if (context.request.initrd) {
    if (auto error = add(*context.request.initrd, "")) return *error;
  }
  for (const BootModule& module : context.request.modules) {
    if (auto error = add(module.file, module.cmdline)) return *error;
  }
  return placed;
}

MaybeLoadError refuse_modules(const LoadContext& context) {
  if (context.request.modules.empty()) return std::nullopt;
  return context.kernel_error(0, "a format that takes modules",
                              std::string(format_name(context.image.format)));
}

MaybeLoadError refuse_initrd(const LoadContext& context) {
  if (!context.request.initrd) return std::nullopt;
  return context.kernel_error(0, "a format that takes an initrd",
                              std::string(format_name(context.image.format)));
}

MaybeLoadError refuse_cmdline(const LoadContext& context) {
  if (context.request.cmdline.empty()) return std::nullopt;
  return context.kernel_error(0, "a format that takes a command line",
                              std::string(format_name(context.image.format)));
}

}  // namespace softvt::loader
