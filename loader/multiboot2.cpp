// Multiboot2 Specification version 2.0.
#include <array>

#include "loader/blob_writer.h"
#include "loader/formats.h"
#include "loader/multiboot2_header.h"
#include "loader/multiboot_image.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

constexpr u32 kBootMagic = 0x36d76289;

// Moves a relocatable image to where its header would like to have it.
MaybeLoadError relocate(LoadContext& context, const Relocation& wanted, ImageLayout& layout) {
  const Window linked = layout_window(layout);
  const u64 size = linked.end - linked.start;
  const Window allowed{wanted.lowest, wanted.highest + 1};
  const Placement& placement = context.placement;
  std::optional<u64> base;
  switch (wanted.preference) {
    case LoadPreference::None: {
      const bool linked_is_allowed = linked.start >= allowed.start && linked.end <= allowed.end &&
                                     placement.lowest(size, 1, linked) == linked.start;
      base = linked_is_allowed ? linked.start : placement.lowest(size, wanted.alignment, allowed);
      break;
    }
    case LoadPreference::Lowest:
      base = placement.lowest(size, wanted.alignment, allowed);
      break;
    case LoadPreference::Highest:
      base = placement.highest(size, wanted.alignment, allowed);
      break;
  }
  if (!base) {
    return context.kernel_error(wanted.offset,
                                hex(size) + " bytes of free RAM at " + hex(wanted.lowest) + "-" +
                                    hex(wanted.highest) + " aligned to " + hex(wanted.alignment),
                                "no such gap");
  }
  move_layout(layout, *base - linked.start);
  return std::nullopt;
}

// The information structure: tags, each aligned to 8 bytes.
class InfoBuilder {
 public:
  InfoBuilder() {
    info_.put32(0);  // total size, known at the end
    info_.put32(0);
  }

  void add(Multiboot2Info type, std::span<const u8> content) {
    info_.put32(static_cast<u32>(type));
    info_.put32(8 + content.size());
    info_.put_bytes(content);
    info_.align(8);
  }
  void add_string(Multiboot2Info type, std::string_view text) {
    BlobWriter content;
    content.put_string(text);
    add(type, content.bytes());
  }
  std::span<const u8> finish() {
    add(Multiboot2Info::End, {});
    info_.patch(0, info_.size(), 4);
    return info_.bytes();
  }

 private:
  BlobWriter info_;
};

void add_memory(InfoBuilder& info, const std::vector<E820Range>& map) {
  const MemorySummary summary = summarize_memory(map);
  BlobWriter basic;
  basic.put32(summary.lower_kib);
  basic.put32(summary.upper_kib);
  info.add(Multiboot2Info::BasicMemory, basic.bytes());

  BlobWriter table;
  table.put32(24);  // entry size
  table.put32(0);   // entry version
  for (const E820Range& range : map) {
    table.put64(range.start);
    table.put64(range.size);
    table.put32(static_cast<u32>(range.type));
    table.put32(0);
  }
  info.add(Multiboot2Info::MemoryMap, table.bytes());
}

void add_modules(InfoBuilder& info, const std::vector<PlacedModule>& modules) {
  for (const PlacedModule& module : modules) {
    BlobWriter content;
    content.put32(module.start);
    content.put32(module.start + module.size);
    content.put_string(module.cmdline);
    info.add(Multiboot2Info::Module, content.bytes());
  }
}

void add_sections(InfoBuilder& info, const MultibootImage& image) {
  if (image.section_headers.empty()) return;
  BlobWriter content;
  content.put32(image.elf->sections.size());
  content.put32(image.elf->section_entry_size);
  content.put32(image.elf->section_names);
  content.put_bytes(image.section_headers);
  info.add(Multiboot2Info::ElfSections, content.bytes());
}

// ACPI 5.2.5.3 "Root System Description Pointer (RSDP) Structure": 20 bytes in revision 0, 36 from
// revision 2.
MaybeLoadError add_acpi(InfoBuilder& info, const LoadContext& context) {
  constexpr std::size_t kOldSize = 20;
  constexpr std::size_t kRevisionOffset = 15;
  std::array<u8, 36> rsdp{};
  const u64 address = context.request.acpi_rsdp;
  if (address == 0) return std::nullopt;
  const std::span<u8> bytes(rsdp);
  const bool has_new = context.memory.read(address, bytes);
  if (!has_new && !context.memory.read(address, bytes.first(kOldSize))) {
    return context.kernel_error(0, "an ACPI root pointer in RAM", hex(address));
  }
  info.add(Multiboot2Info::AcpiOld, bytes.first(kOldSize));
  if (has_new && rsdp[kRevisionOffset] >= 2) info.add(Multiboot2Info::AcpiNew, bytes);
  return std::nullopt;
}

LoadResult<u64> place_info(LoadContext& context, const MultibootImage& image,
                           const Multiboot2Header& header) {
  InfoBuilder info;
  info.add_string(Multiboot2Info::Cmdline,
                  named_cmdline(context.kernel(), context.request.cmdline));
  info.add_string(Multiboot2Info::LoaderName, kLoaderName);
  add_modules(info, image.modules);
  add_memory(info, context.placement.map());
  add_sections(info, image);
  if (auto error = add_acpi(info, context)) return *error;
  if (header.relocation) {
    BlobWriter base;
    base.put32(layout_window(image.layout).start);
    info.add(Multiboot2Info::LoadBase, base.bytes());
  }
  return place_boot_data(context, info.finish(), 8, "multiboot2 information");
}

}  // namespace

bool is_multiboot2(const ImageFile& file) {
  return find_header(file, kMultiboot2Search).offset.has_value();
}

MaybeLoadError load_multiboot2(LoadContext& context) {
  const auto header = read_multiboot2_header(context.kernel());
  if (!header) return header.error();
  if (header->fields && !header->entry) {
    return context.kernel_error(header->fields->fields_offset,
                                "an entry address tag next to the address tag", "none");
  }
  auto image = read_multiboot_image(context.kernel(), header->fields);
  if (!image) return image.error();
  if (header->entry) {
    image->layout.entry = *header->entry;
    image->layout.entry_offset = header->entry_offset;
  }
  if (header->relocation) {
    if (auto error = relocate(context, *header->relocation, image->layout)) return error;
  }
  if (auto error = place_multiboot_image(context, *image)) return error;

  const auto info = place_info(context, *image, *header);
  if (!info) return info.error();
  const auto state = prepare_protected32(context);
  if (!state) return state.error();
  context.image.boot = *state;
  context.image.boot.rip = image->layout.entry;
  context.image.boot.rax = kBootMagic;
  context.image.boot.rbx = *info;
  return std::nullopt;
}

}  // namespace softvt::loader
