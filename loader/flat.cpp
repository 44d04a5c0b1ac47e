// Flat images: the bytes themselves, started as a BIOS starts a boot sector, but all of the file is
// loaded and there is no BIOS to call. A file is taken for one without being asked for only if its
// first sector ends with the boot signature.
#include "loader/formats.h"
#include "loader/modules.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

constexpr u64 kLoadAddress = 0x7c00;
constexpr u64 kSectorSize = 512;
constexpr u64 kSignatureOffset = 510;
constexpr u64 kFirstHardDisk = 0x80;  // what a BIOS hands over in DL

}  // namespace

bool is_boot_sector(const ImageFile& file) {
  return file.bytes.size() >= kSectorSize && file.bytes[kSignatureOffset] == 0x55 &&
         file.bytes[kSignatureOffset + 1] == 0xaa;
}

MaybeLoadError load_flat(LoadContext& context) {
  if (auto error = refuse_cmdline(context)) return error;
  if (auto error = refuse_initrd(context)) return error;
  if (auto error = refuse_modules(context)) return error;
  const ImageFile& kernel = context.kernel();
  if (kernel.bytes.empty()) return context.kernel_error(0, "at least one byte", "an empty file");
  const Blame blame{kernel, 0};
  if (auto error = claim(context, blame, kLoadAddress, kernel.bytes.size(), "the flat image")) {
    return error;
  }
  if (auto error = write_claimed(context, blame, kLoadAddress, kernel.bytes)) return error;
  context.image.boot = real_mode_state();
  context.image.boot.rip = kLoadAddress;
  context.image.boot.rsp = kLoadAddress;
  context.image.boot.rdx = kFirstHardDisk;
  return std::nullopt;
}

}  // namespace softvt::loader
