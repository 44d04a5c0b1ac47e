// What one load works on, and the steps that formats share.
#pragma once
#include <span>
#include <string>

#include "loader/loader.h"
#include "loader/placement.h"

namespace softvt::loader {

// Where an error is to be shown: the field that asked for what couldn't be done.
struct Blame {
  const ImageFile& file;
  u64 offset = 0;
};

struct LoadContext {
  LoadContext(const LoadRequest& load_request, GuestMemory& guest_memory)
      : request(load_request),
        memory(guest_memory),
        placement(build_memory_map(guest_memory, load_request.reserved)) {}

  const LoadRequest& request;
  GuestMemory& memory;
  Placement placement;
  LoadedImage image;

  const ImageFile& kernel() const { return request.kernel; }
  LoadError kernel_error(u64 offset, std::string expected, std::string found) const {
    return {request.kernel.name, offset, std::move(expected), std::move(found)};
  }
};

// Takes a fixed range, or tells what is in the way.
MaybeLoadError claim(LoadContext& context, Blame blame, u64 start, u64 size,
                     const std::string& name);

// Fills a range that was claimed.
MaybeLoadError write_claimed(LoadContext& context, Blame blame, u64 start,
                             std::span<const u8> bytes);
MaybeLoadError zero_claimed(LoadContext& context, Blame blame, u64 start, u64 size);

// Room for the loader's own data: in conventional memory, out of the way of what guests like to use
// themselves (boot sectors, AP trampolines); above 1 MiB if there is none.
LoadResult<u64> reserve_boot_area(LoadContext& context, u64 size, u64 alignment,
                                  const std::string& name);
LoadResult<u64> place_boot_data(LoadContext& context, std::span<const u8> bytes, u64 alignment,
                                const std::string& name);
LoadResult<u64> place_boot_string(LoadContext& context, const std::string& text,
                                  const std::string& name);

// The state to start in, with its GDT, a stack and (for 64 bits) page tables placed in memory.
LoadResult<BootState> prepare_protected32(LoadContext& context);
LoadResult<BootState> prepare_long64(LoadContext& context);

}  // namespace softvt::loader
