#include "tests/loader/load_fixture.h"

namespace softvt::loader {
namespace {

class PvhTest : public sample::LoadFixture {
 protected:
  PvhTest() { request.kernel = sample::elf(sample::pvh_options()); }
};

TEST_F(PvhTest, StartsAtTheNotesEntryWithAStartInfo) {
  request.cmdline = "quiet";
  request.acpi_rsdp = 0xe0000;
  request.initrd = ImageFile{"initrd", {9, 8}};
  request.modules.push_back({ImageFile{"mod", {7}}, "arg"});
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.format, ImageFormat::Pvh);
  EXPECT_EQ(image.boot.mode, BootMode::Protected32);
  EXPECT_EQ(image.boot.rip, 0x100008u);

  const u64 info = image.boot.rbx;
  EXPECT_EQ(sample::peek32(memory, info), 0x336ec578u);
  EXPECT_EQ(sample::peek32(memory, info + 4), 1u);
  EXPECT_EQ(sample::peek32(memory, info + 12), 2u);
  EXPECT_EQ(sample::peek_string(memory, sample::peek64(memory, info + 24)), "quiet");
  EXPECT_EQ(sample::peek64(memory, info + 32), 0xe0000u);
  EXPECT_EQ(sample::peek32(memory, info + 48), 4u);

  const u64 map = sample::peek64(memory, info + 40);
  EXPECT_EQ(sample::peek64(memory, map + 8), 0x9fc00u);
  EXPECT_EQ(sample::peek32(memory, map + 16), 1u);

  const u64 modules = sample::peek64(memory, info + 16);
  EXPECT_EQ(sample::peek64(memory, modules), 0x101000u);
  EXPECT_EQ(sample::peek64(memory, modules + 8), 2u);
  EXPECT_EQ(sample::peek64(memory, modules + 16), 0u);
  EXPECT_EQ(sample::peek_string(memory, sample::peek64(memory, modules + 32 + 16)), "arg");
}

TEST_F(PvhTest, MissingNoteIsOneError) {
  request.kernel = sample::elf();
  request.format = ImageFormat::Pvh;
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x0: expected an ELF note \"Xen\" of type 18, found none");
}

TEST_F(PvhTest, WrongNotesAreOneError) {
  request.format = ImageFormat::Pvh;
  constexpr std::size_t kNote = sample::kElfContent + 64;
  patch(kNote + 4, 2, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x150: expected an entry point of 4 or 8 bytes, found 2");
  patch(kNote + 4, 0xffffffff, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x140: expected an ELF note that ends before 0x154, found "
            "0x4 bytes of name and 0xffffffff of descriptor");
  request.kernel = sample::elf(sample::pvh_options(0x500000));
  EXPECT_NE(error_text().find("expected an entry point within the loaded image, found 0x500000"),
            std::string::npos);
}

}  // namespace
}  // namespace softvt::loader
