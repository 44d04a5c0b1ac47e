#include "tests/loader/load_fixture.h"

namespace softvt::loader {
namespace {

class ElfTest : public sample::LoadFixture {
 protected:
  ElfTest() { request.kernel = sample::elf(); }
};

TEST_F(ElfTest, Elf64StartsInLongModeOnAnIdentityMap) {
  memory.write(0x100040, std::vector<u8>(32, 0xff));
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.format, ImageFormat::Elf);
  const BootState& boot = image.boot;
  EXPECT_EQ(boot.mode, BootMode::Long64);
  EXPECT_EQ(boot.rip, 0x100010u);
  EXPECT_EQ(boot.rdi, 0u);
  EXPECT_EQ(boot.cr0, 0x80000011u);
  EXPECT_EQ(boot.cr4, 0x20u);
  EXPECT_EQ(boot.efer, 0x500u);
  EXPECT_EQ(boot.cs.attributes, 0xa09bu);
  EXPECT_EQ(sample::peek_bytes(memory, 0x100000, 64), std::vector<u8>(64, 0x90));
  EXPECT_EQ(sample::peek_bytes(memory, 0x100040, 32), std::vector<u8>(32, 0));

  EXPECT_EQ(sample::peek64(memory, boot.cr3), boot.cr3 + 0x1003);
  EXPECT_EQ(sample::peek64(memory, boot.cr3 + 0x1000 + 3 * 8), boot.cr3 + 0x5003);
  EXPECT_EQ(sample::peek64(memory, boot.cr3 + 0x1000 + 4 * 8), 0u);
  EXPECT_EQ(sample::peek64(memory, boot.cr3 + 0x2000 + 5 * 8), 0xa00083u);
  EXPECT_EQ(sample::peek64(memory, boot.cr3 + 0x5000 + 511 * 8), 0xffe00083u);
}

TEST_F(ElfTest, GdtHoldsTheSegmentsThatAreLoaded) {
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.boot.gdt.limit, 31);
  EXPECT_EQ(sample::peek64(memory, image.boot.gdt.base + 0x10), 0x00af9b000000ffffu);
  EXPECT_EQ(sample::peek64(memory, image.boot.gdt.base + 0x18), 0x00cf93000000ffffu);
}

TEST_F(ElfTest, StackIsReservedAndAligned) {
  const LoadedImage image = load_ok();
  const LoadedRange* stack = find_range(image, "boot stack");
  ASSERT_NE(stack, nullptr);
  EXPECT_EQ(image.boot.rsp, stack->start + stack->size);
  EXPECT_EQ(image.boot.rsp % 16, 0u);
}

TEST_F(ElfTest, Elf32StartsInProtectedMode) {
  request.kernel = sample::elf({.is64 = false, .machine = 3});
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.boot.mode, BootMode::Protected32);
  EXPECT_EQ(image.boot.rip, 0x100010u);
  EXPECT_EQ(image.boot.cr0, 0x11u);
  EXPECT_EQ(image.boot.cs.attributes, 0xc09bu);
  EXPECT_EQ(image.symbols.size(), 2u);
}

TEST_F(ElfTest, VirtualEntryIsTranslated) {
  request.kernel = sample::elf({.virtual_address = 0xffffffff80000000});
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.boot.rip, 0x100010u);
  ASSERT_EQ(image.symbols.size(), 2u);
  EXPECT_EQ(image.symbols[0].address, 0xffffffff80000000u);
}

TEST_F(ElfTest, PhysicalEntryOfAHigherHalfImageIsKept) {
  request.kernel = sample::elf({.virtual_address = 0xffffffff80000000});
  patch(24, 0x100010, 8);
  EXPECT_EQ(load_ok().boot.rip, 0x100010u);
}

TEST_F(ElfTest, SymbolsAreSorted) {
  const auto symbols = load_ok().symbols;
  const std::vector<Symbol> expected{{0x100000, 16, "start"}, {0x100020, 16, "later"}};
  EXPECT_EQ(symbols, expected);
}

TEST_F(ElfTest, LoaderDataAvoidsAnImageInConventionalMemory) {
  request.kernel = sample::elf({.virtual_address = 0x11000, .physical_address = 0x11000});
  const LoadedImage image = load_ok();
  for (const LoadedRange& range : image.reserved) {
    if (range.name == "segment 0") continue;
    EXPECT_TRUE(range.start + range.size <= 0x11000 || range.start >= 0x11060) << range.name;
  }
}

TEST_F(ElfTest, WrongHeadersAreOneError) {
  patch(4, 3, 1);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x4: expected ELF class 1 (32-bit) or 2 (64-bit), found 3");
  patch(4, 2, 1);
  patch(5, 2, 1);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x5: expected ELF data encoding 1 (little-endian), found "
            "2");
  patch(5, 1, 1);
  patch(16, 1, 2);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x10: expected ELF type 2 (executable) or 3 (shared), "
            "found 1");
  patch(16, 2, 2);
  patch(18, 183, 2);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x12: expected ELF machine 3 (i386) or 62 (x86-64), found "
            "183");
}

TEST_F(ElfTest, WrongTablesAreOneError) {
  patch(54, 55, 2);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x36: expected 56 bytes for each of the program headers, "
            "found 55");
  patch(54, 56, 2);
  patch(56, 0xffff, 2);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x38: expected fewer than 65535 program headers, found "
            "65535");
  patch(56, 0, 2);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x38: expected at least one loadable segment, found none");
  patch(56, 1, 2);
  patch(32, ~u64{0}, 8);
  EXPECT_NE(error_text().find("at offset 0xffffffffffffffff: expected 56 bytes of program headers"),
            std::string::npos);
}

TEST_F(ElfTest, WrongSegmentsAreOneError) {
  constexpr std::size_t kHeader = 64;
  patch(kHeader + 32, 0x100000, 8);  // file size
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x40: expected at least 0x100000 bytes of memory for the "
            "0x100000 bytes of segment 0 in the file, found 0x60");
  patch(kHeader + 40, 0x100000, 8);  // memory size
  EXPECT_NE(error_text().find("expected segment 0 within the file of"), std::string::npos);
  patch(kHeader + 32, 64, 8);
  patch(kHeader + 24, 0x3ffffff, 8);  // physical address
  EXPECT_NE(error_text().find("found RAM only at 0x0-0x9fbff, 0x100000-0x3ffffff"),
            std::string::npos);
  patch(kHeader + 24, ~u64{0}, 8);
  EXPECT_NE(error_text().find("found an address beyond 64 bits"), std::string::npos);
}

TEST_F(ElfTest, OverlappingSegmentsAreOneError) {
  sample::ElfOptions options;
  options.note = std::vector<u8>(16, 0);
  request.kernel = sample::elf(options);
  patch(64 + 56, 1, 4);  // the note segment becomes a second loadable one at the same place
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x78: expected free RAM for segment 1 (0x10 bytes at "
            "0x100000), found segment 0 at 0x100000-0x10005f");
}

TEST_F(ElfTest, EntryOutsideOfTheImageIsOneError) {
  patch(24, 0x500000, 8);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x18: expected an entry point within the loaded image, "
            "found 0x500000");
}

TEST_F(ElfTest, ProgramOfAnOperatingSystemIsOneError) {
  sample::ElfOptions options;
  options.note = std::vector<u8>(16, 0);
  request.kernel = sample::elf(options);
  patch(64 + 56, 3, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x78: expected a freestanding image, found a program for "
            "an operating system (it names a loader)");
}

TEST_F(ElfTest, WrongSymbolsAreOneError) {
  std::size_t sections = 0;
  for (unsigned i = 8; i-- > 0;) sections = sections << 8 | request.kernel.bytes[40 + i];
  patch(sections + 64 + 40, 9, 4);  // sh_link
  EXPECT_NE(error_text().find("expected a symbol table linked to one of 3 sections, found section "
                              "9"),
            std::string::npos);
  patch(sections + 64 + 40, 2, 4);
  patch(sections + 128 + 32, 3, 8);  // sh_size of the names
  EXPECT_NE(error_text().find("expected a symbol name within 0x3 bytes of names"),
            std::string::npos);
}

TEST_F(ElfTest, TakesNothingThatItCannotHandOver) {
  request.cmdline = "x";
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x0: expected a format that takes a command line, found "
            "elf");
  request.cmdline.clear();
  request.initrd = ImageFile{"initrd", {1}};
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x0: expected a format that takes an initrd, found elf");
}

}  // namespace
}  // namespace softvt::loader
