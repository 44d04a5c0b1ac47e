// The formats: one file each. To load is to fill `context.memory` and `context.image`.
#pragma once
#include "loader/context.h"

namespace softvt::loader {

bool is_bzimage(const ImageFile& file);
MaybeLoadError load_bzimage(LoadContext& context);
MaybeLoadError load_bzimage32(LoadContext& context);
MaybeLoadError load_bzimage64(LoadContext& context);

bool is_multiboot1(const ImageFile& file);
MaybeLoadError load_multiboot1(LoadContext& context);

bool is_multiboot2(const ImageFile& file);
MaybeLoadError load_multiboot2(LoadContext& context);

bool is_pvh(const ImageFile& file);
MaybeLoadError load_pvh(LoadContext& context);

bool is_elf_image(const ImageFile& file);
MaybeLoadError load_elf(LoadContext& context);

bool is_boot_sector(const ImageFile& file);
MaybeLoadError load_flat(LoadContext& context);

}  // namespace softvt::loader
