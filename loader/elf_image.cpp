// Plain ELF files: 64-bit x86-64 files start in 64-bit mode with paging on, all others in 32-bit
// protected mode with paging off. RDI is 0: there is no information to pass.
#include "loader/elf.h"
#include "loader/formats.h"
#include "loader/modules.h"
#include "loader/text.h"

namespace softvt::loader {

bool is_elf_image(const ImageFile& file) { return is_elf(file); }

MaybeLoadError load_elf(LoadContext& context) {
  if (auto error = refuse_cmdline(context)) return error;
  if (auto error = refuse_initrd(context)) return error;
  if (auto error = refuse_modules(context)) return error;

  const auto elf = parse_elf(context.kernel());
  if (!elf) return elf.error();
  const auto layout = elf_layout(context.kernel(), *elf);
  if (!layout) return layout.error();
  if (layout->entry >= kFourGiB) {
    return context.kernel_error(layout->entry_offset, "an entry point below 4 GiB",
                                hex(layout->entry));
  }
  if (auto error = place_layout(context, *layout)) return error;
  auto symbols = read_elf_symbols(context.kernel(), *elf);
  if (!symbols) return symbols.error();
  context.image.symbols = std::move(*symbols);

  const bool is_long = elf->is64 && elf->machine == ElfMachine::X86_64;
  const auto state = is_long ? prepare_long64(context) : prepare_protected32(context);
  if (!state) return state.error();
  context.image.boot = *state;
  context.image.boot.rip = layout->entry;
  return std::nullopt;
}

}  // namespace softvt::loader
