#include "tests/loader/load_fixture.h"

namespace softvt::loader {
namespace {

class BzImageTest : public sample::LoadFixture {
 protected:
  BzImageTest() { request.kernel = sample::bzimage(); }
};

TEST_F(BzImageTest, StartsAtThe64BitEntryWithAZeroPage) {
  request.cmdline = "console=ttyS0";
  request.acpi_rsdp = 0xe0000;
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.format, ImageFormat::BzImage64);
  const BootState& boot = image.boot;
  EXPECT_EQ(boot.mode, BootMode::Long64);
  EXPECT_EQ(boot.rip, 0x1000200u);
  EXPECT_EQ(boot.cs.selector, 0x10);
  EXPECT_EQ(boot.ds.selector, 0x18);
  EXPECT_EQ(boot.rflags, 2u);

  const u64 zero_page = boot.rsi;
  EXPECT_EQ(sample::peek32(memory, zero_page + 0x202), 0x53726448u);
  EXPECT_EQ(sample::peek(memory, zero_page + 0x210, 1), 0xffu);
  EXPECT_EQ(sample::peek32(memory, zero_page + 0x214), 0x1000000u);
  EXPECT_EQ(sample::peek64(memory, zero_page + 0x70), 0xe0000u);
  EXPECT_EQ(sample::peek_string(memory, sample::peek32(memory, zero_page + 0x228)),
            "console=ttyS0");
  EXPECT_EQ(sample::peek32(memory, zero_page + 0x218), 0u);
  EXPECT_EQ(sample::peek(memory, zero_page + 0x1ef, 1), 0u);  // the sentinel

  const std::vector<u8> payload(request.kernel.bytes.begin() + 3 * 512, request.kernel.bytes.end());
  EXPECT_EQ(sample::peek_bytes(memory, 0x1000000, payload.size()), payload);
}

TEST_F(BzImageTest, TellsTheMemoryMap) {
  request.reserved = {{0x3f00000, 0x100000, MemoryType::AcpiReclaimable}};
  const LoadedImage image = load_ok();
  const u64 zero_page = image.boot.rsi;
  ASSERT_EQ(sample::peek(memory, zero_page + 0x1e8, 1), 5u);
  const auto entry = [&](u64 i) {
    const u64 at = zero_page + 0x2d0 + i * 20;
    return E820Range{sample::peek64(memory, at), sample::peek64(memory, at + 8),
                     static_cast<MemoryType>(sample::peek32(memory, at + 16))};
  };
  EXPECT_EQ(entry(0), (E820Range{0, 0x9fc00, MemoryType::Ram}));
  EXPECT_EQ(entry(1), (E820Range{0x9fc00, 0x400, MemoryType::Reserved}));
  EXPECT_EQ(entry(2), (E820Range{0xf0000, 0x10000, MemoryType::Reserved}));
  EXPECT_EQ(entry(3), (E820Range{0x100000, 0x3e00000, MemoryType::Ram}));
  EXPECT_EQ(entry(4), (E820Range{0x3f00000, 0x100000, MemoryType::AcpiReclaimable}));
}

TEST_F(BzImageTest, InitrdLiesHighBelowReservedMemory) {
  request.initrd = ImageFile{"initrd", std::vector<u8>(5000, 0x5a)};
  request.reserved = {{0x3ff0000, 0x10000, MemoryType::AcpiReclaimable}};
  const LoadedImage image = load_ok();
  const u64 at = sample::peek32(memory, image.boot.rsi + 0x218);
  EXPECT_EQ(at, 0x3fee000u);
  EXPECT_EQ(sample::peek32(memory, image.boot.rsi + 0x21c), 5000u);
  EXPECT_EQ(sample::peek_bytes(memory, at, 5000), request.initrd->bytes);
}

TEST_F(BzImageTest, InitrdStaysBelowTheKernelsLimit) {
  patch(0x22c, 0x1ffffff, 4);
  request.initrd = ImageFile{"initrd", std::vector<u8>(5000, 0x5a)};
  const LoadedImage image = load_ok();
  EXPECT_EQ(sample::peek32(memory, image.boot.rsi + 0x218), 0x1ffe000u);
}

TEST_F(BzImageTest, The32BitEntryIsTheLoadAddress) {
  request.format = ImageFormat::BzImage32;
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.format, ImageFormat::BzImage32);
  EXPECT_EQ(image.boot.mode, BootMode::Protected32);
  EXPECT_EQ(image.boot.rip, 0x1000000u);
  EXPECT_EQ(image.boot.rbp | image.boot.rdi | image.boot.rbx, 0u);
}

TEST_F(BzImageTest, KernelWithoutA64BitEntryStartsIn32Bits) {
  request.kernel = sample::bzimage({.xloadflags = 0});
  EXPECT_EQ(load_ok().format, ImageFormat::BzImage32);
  request.format = ImageFormat::BzImage64;
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x236: expected a 64-bit entry point (xloadflags bit 0), "
            "found none");
}

TEST_F(BzImageTest, OldProtocolLoadsAtOneMiB) {
  request.kernel = sample::bzimage({.version = 0x0206, .relocatable = 0});
  EXPECT_EQ(load_ok().boot.rip, 0x100000u);
}

TEST_F(BzImageTest, RelocatableKernelMovesUpFromReservedMemory) {
  request.reserved = {{0x1000000, 0x1000, MemoryType::Reserved}};
  EXPECT_EQ(load_ok().boot.rip, 0x1200200u);
}

TEST_F(BzImageTest, TooLittleRamIsOneError) {
  request.kernel = sample::bzimage({.init_size = 0x4000000});
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x260: expected free RAM for the kernel (0x4000000 bytes at "
            "0x1000000), found RAM only at 0x0-0x9fbff, 0x100000-0x3ffffff");
}

TEST_F(BzImageTest, WrongFilesAreOneError) {
  request.kernel = sample::bzimage({.version = 0x0205});
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x206: expected boot protocol 2.06 or later, found 0x205");

  request.kernel = sample::bzimage();
  request.kernel.bytes.resize(0x800);
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x1f4: expected 0x1000 bytes of kernel from 0x600, found the "
            "end of the file at 0x800");
  request.kernel.bytes.resize(0x600);
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x1f1: expected a kernel after 0x600 bytes of setup code, "
            "found the end of the file at 0x600");
  request.kernel.bytes.resize(0x220);
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x22c: expected 4 bytes of the kernel's setup header, found "
            "the end of the file at 0x220");

  request.kernel = sample::bzimage();
  patch(0x211, 0, 1);
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x211: expected a bzImage (loadflags bit 0 set), found 0x0");
  request.kernel = sample::bzimage();
  patch(0x230, 3, 4);
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x230: expected a power of two as kernel alignment, found 0x3");
  request.kernel = sample::bzimage({.preferred = 0x1000});
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x258: expected a load address between 1 MiB and 4 GiB, found "
            "0x1000");
}

TEST_F(BzImageTest, ForcedFormatTellsWhichSignatureIsMissing) {
  request.format = ImageFormat::BzImage;
  patch(0x202, 0, 4);
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x202: expected the magic \"HdrS\" (0x53726448), found 0x0");
  patch(0x1fe, 0, 2);
  EXPECT_EQ(error_text(), "dir/vmlinuz: at offset 0x1fe: expected the boot flag 0xaa55, found 0x0");
}

TEST_F(BzImageTest, WrongRequestsAreOneError) {
  request.cmdline = std::string(256, 'a');
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x238: expected a command line of at most 255 bytes, found "
            "256");
  request.cmdline = std::string("a\0b", 3);
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x0: expected a command line without a zero byte, found one "
            "at position 1");
  request.cmdline.clear();
  request.initrd = ImageFile{"initrd", {}};
  EXPECT_EQ(error_text(), "initrd: at offset 0x0: expected an initrd, found an empty file");
  request.initrd->bytes.resize(64 << 20);
  EXPECT_EQ(error_text(),
            "initrd: at offset 0x0: expected 0x4000000 bytes of free RAM below 0x4000000 for the "
            "initrd, found no gap of that size");
  request.initrd.reset();
  request.modules.push_back({ImageFile{"module", {1}}, ""});
  EXPECT_EQ(error_text(),
            "dir/vmlinuz: at offset 0x0: expected a format that takes modules, found bzimage64");
}

}  // namespace
}  // namespace softvt::loader
