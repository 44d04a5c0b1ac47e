// PVH: an ELF note gives a 32-bit physical entry point, which gets a table of what the machine has
// (Xen, "x86/HVM direct boot ABI (PVH)" and public/arch-x86/hvm/start_info.h).
#include "loader/blob_writer.h"
#include "loader/elf.h"
#include "loader/formats.h"
#include "loader/modules.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

constexpr u32 kNotePhysicalEntry = 18;  // XEN_ELFNOTE_PHYS32_ENTRY
constexpr u32 kStartInfoMagic = 0x336ec578;
constexpr u32 kStartInfoVersion = 1;

LoadResult<std::optional<std::span<const u8>>> find_entry_note(const ImageFile& file,
                                                               const ElfImage& elf) {
  return find_elf_note(file, elf, "Xen", kNotePhysicalEntry);
}

LoadResult<u64> read_entry(LoadContext& context, const ElfImage& elf) {
  const auto note = find_entry_note(context.kernel(), elf);
  if (!note) return note.error();
  if (!*note) return context.kernel_error(0, "an ELF note \"Xen\" of type 18", "none");
  const auto bytes = **note;
  const u64 offset = static_cast<u64>(bytes.data() - context.kernel().bytes.data());
  if (bytes.size() != 4 && bytes.size() != 8) {
    return context.kernel_error(bytes.empty() ? 0 : offset, "an entry point of 4 or 8 bytes",
                                std::to_string(bytes.size()));
  }
  u64 entry = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) entry = entry << 8 | bytes[i];
  if (entry >= kFourGiB) {
    return context.kernel_error(offset, "an entry point below 4 GiB", hex(entry));
  }
  return entry;
}

LoadResult<u64> place_memory_map(LoadContext& context) {
  BlobWriter table;
  for (const E820Range& range : context.placement.map()) {
    table.put64(range.start);
    table.put64(range.size);
    table.put32(static_cast<u32>(range.type));
    table.put32(0);
  }
  return place_boot_data(context, table.bytes(), 8, "PVH memory map");
}

LoadResult<u64> place_module_list(LoadContext& context, const std::vector<PlacedModule>& modules) {
  if (modules.empty()) return u64{0};
  BlobWriter list;
  for (const PlacedModule& module : modules) {
    u64 cmdline = 0;
    if (!module.cmdline.empty()) {
      const auto placed = place_boot_string(context, module.cmdline, "module command line");
      if (!placed) return placed.error();
      cmdline = *placed;
    }
    list.put64(module.start);
    list.put64(module.size);
    list.put64(cmdline);
    list.put64(0);
  }
  return place_boot_data(context, list.bytes(), 8, "PVH module list");
}

LoadResult<u64> place_start_info(LoadContext& context, const std::vector<PlacedModule>& modules) {
  const auto memory_map = place_memory_map(context);
  if (!memory_map) return memory_map.error();
  const auto module_list = place_module_list(context, modules);
  if (!module_list) return module_list.error();
  const auto cmdline = place_boot_string(context, context.request.cmdline, "command line");
  if (!cmdline) return cmdline.error();

  BlobWriter info;
  info.put32(kStartInfoMagic);
  info.put32(kStartInfoVersion);
  info.put32(0);  // flags
  info.put32(modules.size());
  info.put64(*module_list);
  info.put64(*cmdline);
  info.put64(context.request.acpi_rsdp);
  info.put64(*memory_map);
  info.put32(context.placement.map().size());
  info.put32(0);
  return place_boot_data(context, info.bytes(), 8, "PVH start info");
}

}  // namespace

bool is_pvh(const ImageFile& file) {
  if (!is_elf(file)) return false;
  const auto elf = parse_elf(file);
  if (!elf) return false;
  const auto note = find_entry_note(file, *elf);
  return note && note->has_value();
}

MaybeLoadError load_pvh(LoadContext& context) {
  const auto elf = parse_elf(context.kernel());
  if (!elf) return elf.error();
  auto layout = elf_layout(context.kernel(), *elf);
  if (!layout) return layout.error();
  const auto entry = read_entry(context, *elf);
  if (!entry) return entry.error();
  layout->entry = *entry;
  if (auto error = place_layout(context, *layout)) return error;
  auto symbols = read_elf_symbols(context.kernel(), *elf);
  if (!symbols) return symbols.error();
  context.image.symbols = std::move(*symbols);

  const auto modules =
      place_modules(context, layout_window(*layout).end, ModuleStrings::ArgumentsOnly);
  if (!modules) return modules.error();
  const auto start_info = place_start_info(context, *modules);
  if (!start_info) return start_info.error();
  const auto state = prepare_protected32(context);
  if (!state) return state.error();
  context.image.boot = *state;
  context.image.boot.rip = *entry;
  context.image.boot.rbx = *start_info;
  return std::nullopt;
}

}  // namespace softvt::loader
