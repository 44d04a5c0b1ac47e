#include "loader/context.h"

#include "loader/blob_writer.h"
#include "loader/identity_map.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

constexpr Window kConventionalWindow{0x10000, 0x9f000};
constexpr u64 kStackSize = 0x10000;

LoadError no_ram(Blame blame, u64 start, u64 size) {
  return {blame.file.name, blame.offset, "guest RAM at " + span_text(start, size), "none"};
}

// Adds GDT and stack to a state with flat segments.
LoadResult<BootState> finish_state(LoadContext& context, BootState state) {
  BlobWriter gdt;
  gdt.put64(0);
  gdt.put64(0);
  gdt.put64(segment_descriptor(state.cs));
  gdt.put64(segment_descriptor(state.ds));
  const auto gdt_address = place_boot_data(context, gdt.bytes(), 8, "boot GDT");
  if (!gdt_address) return gdt_address.error();
  state.gdt = {*gdt_address, kBootGdtEntries * 8 - 1};

  const auto stack = reserve_boot_area(context, kStackSize, kPageSize, "boot stack");
  if (!stack) return stack.error();
  state.rsp = *stack + kStackSize;
  return state;
}

}  // namespace

MaybeLoadError claim(LoadContext& context, Blame blame, u64 start, u64 size,
                     const std::string& name) {
  const auto obstacle = context.placement.claim(start, size, name);
  if (!obstacle) return std::nullopt;
  return LoadError{blame.file.name, blame.offset,
                   "free RAM for " + name + " (" + hex(size) + " bytes at " + hex(start) + ")",
                   *obstacle};
}

MaybeLoadError write_claimed(LoadContext& context, Blame blame, u64 start,
                             std::span<const u8> bytes) {
  if (bytes.empty() || context.memory.write(start, bytes)) return std::nullopt;
  return no_ram(blame, start, bytes.size());
}

MaybeLoadError zero_claimed(LoadContext& context, Blame blame, u64 start, u64 size) {
  if (size == 0 || context.memory.zero(start, size)) return std::nullopt;
  return no_ram(blame, start, size);
}

LoadResult<u64> reserve_boot_area(LoadContext& context, u64 size, u64 alignment,
                                  const std::string& name) {
  const Window above{kOneMiB, kMaxLowRamEnd};
  auto at = context.placement.lowest(size, alignment, kConventionalWindow);
  if (!at) at = context.placement.lowest(size, alignment, above);
  if (!at) {
    return context.kernel_error(0, hex(size) + " bytes of free RAM for the " + name,
                                "no gap of that size");
  }
  if (auto error = claim(context, {context.kernel(), 0}, *at, size, name)) return *error;
  return *at;
}

LoadResult<u64> place_boot_data(LoadContext& context, std::span<const u8> bytes, u64 alignment,
                                const std::string& name) {
  const auto at = reserve_boot_area(context, bytes.size(), alignment, name);
  if (!at) return at.error();
  if (auto error = write_claimed(context, {context.kernel(), 0}, *at, bytes)) return *error;
  return *at;
}

LoadResult<u64> place_boot_string(LoadContext& context, const std::string& text,
                                  const std::string& name) {
  BlobWriter blob;
  blob.put_string(text);
  return place_boot_data(context, blob.bytes(), 1, name);
}

LoadResult<BootState> prepare_protected32(LoadContext& context) {
  return finish_state(context, protected32_state());
}

LoadResult<BootState> prepare_long64(LoadContext& context) {
  const auto tables = reserve_boot_area(context, kIdentityMapSize, kPageSize, "page tables");
  if (!tables) return tables.error();
  const auto bytes = build_identity_map(*tables);
  if (auto error = write_claimed(context, {context.kernel(), 0}, *tables, bytes)) return *error;
  return finish_state(context, long64_state(*tables));
}

}  // namespace softvt::loader
