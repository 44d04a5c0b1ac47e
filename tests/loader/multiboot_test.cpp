#include "tests/loader/load_fixture.h"

namespace softvt::loader {
namespace {

class MultibootTest : public sample::LoadFixture {
 protected:
  MultibootTest() { use_elf({}, 3); }
  void use_elf(sample::ElfOptions options, u32 flags) {
    options.content = sample::multiboot1_header(flags);
    request.kernel = sample::elf(options);
  }
};

TEST_F(MultibootTest, Elf64StartsIn32BitsWithTheInformation) {
  request.cmdline = "a b";
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.format, ImageFormat::Multiboot);
  EXPECT_EQ(image.boot.mode, BootMode::Protected32);
  EXPECT_EQ(image.boot.rip, 0x100010u);
  EXPECT_EQ(image.boot.rax, 0x2badb002u);
  EXPECT_EQ(image.symbols.size(), 2u);

  const u64 info = image.boot.rbx;
  EXPECT_EQ(sample::peek32(memory, info), 0x265u);
  EXPECT_EQ(sample::peek32(memory, info + 4), 639u);
  EXPECT_EQ(sample::peek32(memory, info + 8), 63u * 1024);
  EXPECT_EQ(sample::peek_string(memory, sample::peek32(memory, info + 16)), "kernel.elf a b");
  EXPECT_EQ(sample::peek_string(memory, sample::peek32(memory, info + 64)), "softvt");

  const u64 map = sample::peek32(memory, info + 48);
  EXPECT_EQ(sample::peek32(memory, info + 44), 4u * 24);
  EXPECT_EQ(sample::peek32(memory, map), 20u);
  EXPECT_EQ(sample::peek64(memory, map + 4), 0u);
  EXPECT_EQ(sample::peek64(memory, map + 12), 0x9fc00u);
  EXPECT_EQ(sample::peek32(memory, map + 20), 1u);
}

TEST_F(MultibootTest, SymbolTablesAreInMemory) {
  const LoadedImage image = load_ok();
  const u64 info = image.boot.rbx;
  EXPECT_EQ(sample::peek32(memory, info + 28), 3u);
  EXPECT_EQ(sample::peek32(memory, info + 32), 64u);
  EXPECT_EQ(sample::peek32(memory, info + 40), 2u);
  const u64 headers = sample::peek32(memory, info + 36);
  const u64 names = sample::peek64(memory, headers + 2 * 64 + 16);
  EXPECT_EQ(sample::peek_string(memory, names + 1), "start");
}

TEST_F(MultibootTest, ModulesAreOnPagesAfterTheKernel) {
  request.initrd = ImageFile{"dir/initrd", {1, 2, 3}};
  request.modules.push_back({ImageFile{"dir/second", {4, 5}}, "args"});
  const LoadedImage image = load_ok();
  const u64 info = image.boot.rbx;
  EXPECT_EQ(sample::peek32(memory, info) & 8, 8u);
  ASSERT_EQ(sample::peek32(memory, info + 20), 2u);
  const u64 list = sample::peek32(memory, info + 24);
  const u64 first = sample::peek32(memory, list);
  EXPECT_EQ(first, 0x101000u);
  EXPECT_EQ(sample::peek32(memory, list + 4), first + 3);
  EXPECT_EQ(sample::peek_bytes(memory, first, 3), (std::vector<u8>{1, 2, 3}));
  EXPECT_EQ(sample::peek_string(memory, sample::peek32(memory, list + 8)), "initrd");
  EXPECT_EQ(sample::peek32(memory, list + 16), 0x102000u);
  EXPECT_EQ(sample::peek_string(memory, sample::peek32(memory, list + 24)), "second args");
}

TEST_F(MultibootTest, HigherHalfEntryIsTranslated) {
  use_elf({.is64 = false, .machine = 3, .virtual_address = 0xc0100000}, 0);
  EXPECT_EQ(load_ok().boot.rip, 0x100010u);
}

TEST_F(MultibootTest, AddressFieldsPlaceARawImage) {
  request.kernel = sample::multiboot1_raw();
  memory.write(0x200100, std::vector<u8>(0x80, 0xff));
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.boot.rip, 0x200040u);
  const std::vector<u8> start(request.kernel.bytes.begin(), request.kernel.bytes.begin() + 0x100);
  EXPECT_EQ(sample::peek_bytes(memory, 0x200000, 0x100), start);
  EXPECT_EQ(sample::peek_bytes(memory, 0x200100, 0x80), std::vector<u8>(0x80, 0));
}

TEST_F(MultibootTest, WrongAddressFieldsAreOneError) {
  request.kernel = sample::multiboot1_raw();
  patch(16 + 16, 0x300000, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.img: at offset 0x1c: expected a load address at most 0x10 below the "
            "header address 0x200010, found 0x300000");
  request.kernel = sample::multiboot1_raw();
  patch(16 + 20, 0x1fffff, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.img: at offset 0x1c: expected a load end above 0x200000, found 0x1fffff");
  request.kernel = sample::multiboot1_raw();
  patch(16 + 24, 0x200001, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.img: at offset 0x1c: expected a bss end of at least 0x200100, found "
            "0x200001");
  request.kernel = sample::multiboot1_raw();
  patch(16 + 28, 0x200180, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.img: at offset 0x2c: expected an entry point within the loaded image, "
            "found 0x200180");
}

TEST_F(MultibootTest, UnknownRequiredFlagsAreOneError) {
  use_elf({}, 0x8001);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x104: expected no required flags but bits 0 to 2, found "
            "0x8000");
}

TEST_F(MultibootTest, ForcedFormatTellsWhatIsMissing) {
  request.format = ImageFormat::Multiboot;
  patch(sample::kElfContent + 8, 0, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x100: expected a multiboot header whose words add up to "
            "0, found a wrong checksum");
  request.kernel = sample::boot_sector();
  EXPECT_EQ(error_text(),
            "dir/boot.bin: at offset 0x0: expected a multiboot header in the first 8192 bytes, "
            "found none");
  BlobWriter header_only;
  header_only.put_bytes(sample::multiboot1_header(0));
  request.kernel = sample::file(header_only);
  EXPECT_EQ(error_text(),
            "dir/kernel.img: at offset 0x0: expected an ELF file, or address fields in the header, "
            "found neither");
}

TEST_F(MultibootTest, ModuleWithoutRoomIsOneError) {
  request.modules.push_back({ImageFile{"big", std::vector<u8>(64 << 20)}, ""});
  EXPECT_EQ(error_text(),
            "big: at offset 0x0: expected 0x4000000 bytes of free RAM for module 0, found no gap "
            "of that size below 3 GiB");
}

}  // namespace
}  // namespace softvt::loader
