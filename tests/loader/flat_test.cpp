#include "tests/loader/load_fixture.h"

namespace softvt::loader {
namespace {

class FlatTest : public sample::LoadFixture {
 protected:
  FlatTest() { request.kernel = sample::boot_sector(); }
};

TEST_F(FlatTest, BootSectorStartsInRealMode) {
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.format, ImageFormat::Flat);
  EXPECT_EQ(image.boot.mode, BootMode::Real);
  EXPECT_EQ(image.boot.rip, 0x7c00u);
  EXPECT_EQ(image.boot.cs, (BootSegment{0, 0, 0xffff, 0x9b}));
  EXPECT_EQ(image.boot.rdx, 0x80u);
  EXPECT_EQ(image.boot.cr0, 0x10u);
  EXPECT_EQ(image.boot.idt.limit, 0x3ff);
  EXPECT_EQ(sample::peek_string(memory, 0x7c00 + 512), "second sector");
}

TEST_F(FlatTest, BytesWithoutASignatureNeedAForcedFormat) {
  request.kernel = ImageFile{"code.bin", {0xf4}};
  EXPECT_EQ(error_text(),
            "code.bin: at offset 0x0: expected a bzImage, multiboot, PVH, ELF or boot sector image "
            "(or a forced format), found none of their signatures");
  request.format = ImageFormat::Flat;
  EXPECT_EQ(load_ok().boot.rip, 0x7c00u);
}

TEST_F(FlatTest, CompressedFileIsNamed) {
  request.kernel = ImageFile{"xen.gz", {0x1f, 0x8b, 8}};
  EXPECT_NE(error_text().find("found a gzip-compressed file"), std::string::npos);
}

TEST_F(FlatTest, EmptyAndTooLargeFilesAreOneError) {
  request.kernel = ImageFile{"empty", {}};
  EXPECT_NE(error_text().find("found an empty file"), std::string::npos);
  request.format = ImageFormat::Flat;
  EXPECT_EQ(error_text(), "empty: at offset 0x0: expected at least one byte, found an empty file");
  request.kernel.bytes.resize(0x98001);
  EXPECT_EQ(error_text(),
            "empty: at offset 0x0: expected free RAM for the flat image (0x98001 bytes at 0x7c00), "
            "found RAM only at 0x0-0x9fbff, 0x100000-0x3ffffff");
}

TEST(FormatNames, RoundTrip) {
  for (const char* name :
       {"bzimage", "bzimage32", "bzimage64", "multiboot", "multiboot2", "pvh", "elf", "flat"}) {
    const auto format = format_from_name(name);
    ASSERT_TRUE(format.has_value()) << name;
    EXPECT_EQ(format_name(*format), name);
  }
  EXPECT_FALSE(format_from_name("coff").has_value());
  EXPECT_EQ(format_names(), "bzimage, bzimage64, bzimage32, multiboot2, multiboot, pvh, elf, flat");
}

TEST(ReadImageFile, TellsWhyItCannot) {
  EXPECT_EQ(read_image_file("no/such/file").error().text(),
            "no/such/file: at offset 0x0: expected a readable file, found No such file or "
            "directory");
  EXPECT_EQ(read_image_file(".").error().text(),
            ".: at offset 0x0: expected a readable file, found a directory");
}

}  // namespace
}  // namespace softvt::loader
