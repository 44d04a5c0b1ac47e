// The files that go along with a kernel, for formats that take a list of them.
#pragma once
#include <string>
#include <vector>

#include "loader/context.h"

namespace softvt::loader {

struct PlacedModule {
  u64 start = 0;
  u64 size = 0;
  std::string cmdline;
};

enum class ModuleStrings {
  ArgumentsOnly,
  NameFirst,  // the file's base name, a space, the arguments
};

// The initrd if there is one, then the modules, each on its own pages, from `lowest` up (from 1 MiB
// if there is no room above).
LoadResult<std::vector<PlacedModule>> place_modules(LoadContext& context, u64 lowest,
                                                    ModuleStrings strings);

// "kernel.elf arguments", the habit of multiboot loaders.
std::string named_cmdline(const ImageFile& file, const std::string& arguments);

// One error if the request has what this format can't hand to its guest.
MaybeLoadError refuse_modules(const LoadContext& context);
MaybeLoadError refuse_initrd(const LoadContext& context);
MaybeLoadError refuse_cmdline(const LoadContext& context);

}  // namespace softvt::loader
