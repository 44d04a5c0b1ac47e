// Linux kernels, by the Linux/x86 boot protocol 2.06 and later
// (kernel documentation, "The Linux/x86 Boot Protocol"; offsets are those of the file and of the
// zero page alike).
#include <algorithm>

#include "loader/blob_writer.h"
#include "loader/formats.h"
#include "loader/image_reader.h"
#include "loader/modules.h"
#include "loader/text.h"

namespace softvt::loader {
namespace {

constexpr u32 kHeaderMagic = 0x53726448;  // "HdrS"
constexpr u16 kBootFlag = 0xaa55;
constexpr u16 kFirstVersion = 0x0206;            // cmdline_size
constexpr u16 kVersionWithLoadAddress = 0x020a;  // pref_address, init_size
constexpr u16 kVersionWithLongEntry = 0x020c;    // xloadflags

constexpr u64 kSectorSize = 512;
constexpr u64 kLongEntryOffset = 0x200;
constexpr u64 kZeroPageSize = kPageSize;
constexpr std::size_t kMaxE820Entries = 128;
constexpr u64 kE820EntrySize = 20;
constexpr u8 kUnknownLoader = 0xff;

constexpr u8 kLoadedHigh = 1 << 0;
constexpr u16 kHasLongEntry = 1 << 0;

// Fields of the setup header and of the zero page.
enum Offset : u64 {
  kAcpiRsdp = 0x070,
  kE820Entries = 0x1e8,
  kSetupSectors = 0x1f1,
  kSystemSize = 0x1f4,
  kBootFlagOffset = 0x1fe,
  kJump = 0x200,
  kMagic = 0x202,
  kVersion = 0x206,
  kLoaderType = 0x210,
  kLoadFlags = 0x211,
  kCode32Start = 0x214,
  kRamdiskImage = 0x218,
  kRamdiskSize = 0x21c,
  kCmdlinePointer = 0x228,
  kInitrdAddressMax = 0x22c,
  kKernelAlignment = 0x230,
  kRelocatable = 0x234,
  kXLoadFlags = 0x236,
  kCmdlineSize = 0x238,
  kSetupData = 0x250,
  kPreferredAddress = 0x258,
  kInitSize = 0x260,
  kHeaderLimit = 0x290,  // where the zero page goes on with other things
  kE820Table = 0x2d0,
};

struct Header {
  u16 version = 0;
  u64 setup_size = 0;  // of the real-mode part with its boot sector
  u64 header_end = 0;
  u64 system_size = 0;
  u8 load_flags = 0;
  u64 initrd_address_max = 0;
  u64 alignment = 0;
  bool relocatable = false;
  bool has_long_entry = false;
  u64 cmdline_size = 0;
  u64 preferred_address = kOneMiB;
  u64 init_size = 0;
};

Header read_fields(ImageReader& reader) {
  constexpr const char* kWhat = "the kernel's setup header";
  Header header;
  const u8 sectors = reader.get8(kSetupSectors, kWhat);
  header.setup_size = (u64{sectors == 0 ? u8{4} : sectors} + 1) * kSectorSize;
  header.system_size = u64{reader.get32(kSystemSize, kWhat)} * 16;
  header.version = reader.get16(kVersion, kWhat);
  header.header_end = kMagic + reader.get8(kJump + 1, kWhat);
  header.load_flags = reader.get8(kLoadFlags, kWhat);
  header.initrd_address_max = reader.get32(kInitrdAddressMax, kWhat);
  header.alignment = reader.get32(kKernelAlignment, kWhat);
  header.relocatable = reader.get8(kRelocatable, kWhat) != 0;
  header.cmdline_size = reader.get32(kCmdlineSize, kWhat);
  if (header.version >= kVersionWithLoadAddress) {
    header.preferred_address = reader.get64(kPreferredAddress, kWhat);
    header.init_size = reader.get32(kInitSize, kWhat);
  }
  if (header.version >= kVersionWithLongEntry) {
    header.has_long_entry = (reader.get16(kXLoadFlags, kWhat) & kHasLongEntry) != 0;
  }
  return header;
}

MaybeLoadError check_signatures(ImageReader& reader) {
  const u16 flag = reader.get16(kBootFlagOffset, "the boot flag");
  const u32 magic = reader.get32(kMagic, "the setup header's magic");
  if (reader.error()) return reader.error();
  if (flag != kBootFlag) {
    return reader.make_error(kBootFlagOffset, "the boot flag " + hex(kBootFlag), hex(flag));
  }
  if (magic != kHeaderMagic) {
    return reader.make_error(kMagic, "the magic \"HdrS\" (" + hex(kHeaderMagic) + ")", hex(magic));
  }
  return std::nullopt;
}

MaybeLoadError check_header(ImageReader& reader, const Header& header) {
  if (header.version < kFirstVersion) {
    return reader.make_error(kVersion, "boot protocol 2.06 or later", hex(header.version));
  }
  if ((header.load_flags & kLoadedHigh) == 0) {
    return reader.make_error(kLoadFlags, "a bzImage (loadflags bit 0 set)", hex(header.load_flags));
  }
  if (header.setup_size >= reader.size()) {
    return reader.make_error(kSetupSectors,
                             "a kernel after " + hex(header.setup_size) + " bytes of setup code",
                             "the end of the file at " + hex(reader.size()));
  }
  const u64 payload = reader.size() - header.setup_size;
  if (payload + 15 < header.system_size) {
    return reader.make_error(
        kSystemSize, hex(header.system_size) + " bytes of kernel from " + hex(header.setup_size),
        "the end of the file at " + hex(reader.size()));
  }
  const bool aligned = header.alignment != 0 && (header.alignment & (header.alignment - 1)) == 0;
  if (header.relocatable && !aligned) {
    return reader.make_error(kKernelAlignment, "a power of two as kernel alignment",
                             hex(header.alignment));
  }
  if (header.preferred_address < kOneMiB || header.preferred_address >= kFourGiB) {
    return reader.make_error(kPreferredAddress, "a load address between 1 MiB and 4 GiB",
                             hex(header.preferred_address));
  }
  return std::nullopt;
}

LoadResult<Header> read_header(const ImageFile& file) {
  ImageReader reader(file);
  if (auto error = check_signatures(reader)) return *error;
  const Header header = read_fields(reader);
  if (reader.error()) return *reader.error();
  if (auto error = check_header(reader, header)) return *error;
  return header;
}

// Puts the protected-mode kernel at its address. It decompresses itself into the init_size bytes
// from there, so all of these are taken. A kernel that was loaded below the preferred address moves
// itself up to it, so a smaller place would be no help.
LoadResult<u64> place_kernel(LoadContext& context, const Header& header) {
  const ImageFile& kernel = context.kernel();
  const auto payload = std::span(kernel.bytes).subspan(header.setup_size);
  const bool has_init_size = header.init_size != 0;
  const u64 size = std::max<u64>(payload.size(), header.init_size);
  const Blame blame{kernel, has_init_size ? kInitSize : kSystemSize};
  const u64 alignment = header.relocatable ? header.alignment : 1;
  u64 address = header.preferred_address;
  if (header.relocatable) {
    const u64 wanted = (address + alignment - 1) & ~(alignment - 1);
    address = context.placement.lowest(size, alignment, {wanted, kMaxLowRamEnd}).value_or(wanted);
  }
  if (auto error = claim(context, blame, address, size, "the kernel")) return *error;
  if (auto error = write_claimed(context, blame, address, payload)) return *error;
  return address;
}

LoadResult<u64> place_initrd(LoadContext& context, const Header& header) {
  if (!context.request.initrd) return u64{0};
  const ImageFile& initrd = *context.request.initrd;
  if (initrd.bytes.empty()) return LoadError{initrd.name, 0, "an initrd", "an empty file"};
  const Window window{kOneMiB, header.initrd_address_max + 1};
  const auto at = context.placement.highest(initrd.bytes.size(), kPageSize, window);
  if (!at) {
    return LoadError{initrd.name, 0,
                     hex(initrd.bytes.size()) + " bytes of free RAM below " +
                         hex(std::min(window.end, context.memory.low_ram_end())) +
                         " for the initrd",
                     "no gap of that size"};
  }
  if (auto error = claim(context, {initrd, 0}, *at, initrd.bytes.size(), "the initrd")) {
    return *error;
  }
  if (auto error = write_claimed(context, {initrd, 0}, *at, initrd.bytes)) return *error;
  return *at;
}

LoadResult<u64> place_cmdline(LoadContext& context, const Header& header) {
  const std::string& cmdline = context.request.cmdline;
  if (cmdline.size() > header.cmdline_size) {
    return context.kernel_error(
        kCmdlineSize, "a command line of at most " + std::to_string(header.cmdline_size) + " bytes",
        std::to_string(cmdline.size()));
  }
  return place_boot_string(context, cmdline, "command line");
}

void put_e820(BlobWriter& page, const std::vector<E820Range>& map) {
  page.patch(kE820Entries, map.size(), 1);
  for (std::size_t i = 0; i < map.size(); ++i) {
    const u64 entry = kE820Table + i * kE820EntrySize;
    page.patch(entry, map[i].start, 8);
    page.patch(entry + 8, map[i].size, 8);
    page.patch(entry + 16, static_cast<u32>(map[i].type), 4);
  }
}

struct Places {
  u64 kernel = 0;
  u64 initrd = 0;
  u64 cmdline = 0;
};

LoadResult<u64> place_zero_page(LoadContext& context, const Header& header, const Places& places) {
  const auto& map = context.placement.map();
  if (map.size() > kMaxE820Entries) {
    return context.kernel_error(kE820Entries, "a memory map of at most 128 ranges",
                                std::to_string(map.size()));
  }
  BlobWriter page;
  while (page.size() < kZeroPageSize) page.put64(0);
  const auto& file = context.kernel().bytes;
  const u64 header_end = std::min({header.header_end, u64{kHeaderLimit}, u64{file.size()}});
  for (u64 i = kSetupSectors; i < header_end; ++i) page.patch(i, file[i], 1);

  const u64 initrd_size = context.request.initrd ? context.request.initrd->bytes.size() : 0;
  page.patch(kLoaderType, kUnknownLoader, 1);
  page.patch(kCode32Start, places.kernel, 4);
  page.patch(kRamdiskImage, places.initrd, 4);
  page.patch(kRamdiskSize, initrd_size, 4);
  page.patch(kCmdlinePointer, places.cmdline, 4);
  page.patch(kSetupData, 0, 8);
  page.patch(kAcpiRsdp, context.request.acpi_rsdp, 8);
  put_e820(page, map);
  return place_boot_data(context, page.bytes(), kPageSize, "zero page");
}

MaybeLoadError load_kernel(LoadContext& context, const Header& header, ImageFormat format) {
  context.image.format = format;
  if (auto error = refuse_modules(context)) return error;
  const auto kernel = place_kernel(context, header);
  if (!kernel) return kernel.error();
  const auto initrd = place_initrd(context, header);
  if (!initrd) return initrd.error();
  const auto cmdline = place_cmdline(context, header);
  if (!cmdline) return cmdline.error();
  const auto zero_page = place_zero_page(context, header, {*kernel, *initrd, *cmdline});
  if (!zero_page) return zero_page.error();

  const bool is_long = format == ImageFormat::BzImage64;
  const auto state = is_long ? prepare_long64(context) : prepare_protected32(context);
  if (!state) return state.error();
  context.image.boot = *state;
  context.image.boot.rip = *kernel + (is_long ? kLongEntryOffset : 0);
  context.image.boot.rsi = *zero_page;
  return std::nullopt;
}

}  // namespace

bool is_bzimage(const ImageFile& file) {
  ImageReader reader(file);
  const bool has_signatures =
      reader.get16(kBootFlagOffset, "") == kBootFlag && reader.get32(kMagic, "") == kHeaderMagic;
  return has_signatures;
}

MaybeLoadError load_bzimage(LoadContext& context) {
  const auto header = read_header(context.kernel());
  if (!header) return header.error();
  return load_kernel(context, *header,
                     header->has_long_entry ? ImageFormat::BzImage64 : ImageFormat::BzImage32);
}

MaybeLoadError load_bzimage32(LoadContext& context) {
  const auto header = read_header(context.kernel());
  if (!header) return header.error();
  return load_kernel(context, *header, ImageFormat::BzImage32);
}

MaybeLoadError load_bzimage64(LoadContext& context) {
  const auto header = read_header(context.kernel());
  if (!header) return header.error();
  if (!header->has_long_entry) {
    return context.kernel_error(kXLoadFlags, "a 64-bit entry point (xloadflags bit 0)", "none");
  }
  return load_kernel(context, *header, ImageFormat::BzImage64);
}

}  // namespace softvt::loader
