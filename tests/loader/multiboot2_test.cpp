#include <map>

#include "tests/loader/load_fixture.h"

namespace softvt::loader {
namespace {

class Multiboot2Test : public sample::LoadFixture {
 protected:
  void use(const BlobWriter& tags) { request.kernel = sample::multiboot2_elf(tags); }

  // Address of the content of the first tag of each type.
  std::map<u32, u64> tags_at(u64 info) const {
    std::map<u32, u64> tags;
    const u64 end = info + sample::peek32(memory, info);
    for (u64 at = info + 8; at < end;) {
      tags.emplace(sample::peek32(memory, at), at + 8);
      at += (sample::peek32(memory, at + 4) + 7) & ~u64{7};
    }
    return tags;
  }

  BlobWriter tags;
};

TEST_F(Multiboot2Test, HandsOverItsTags) {
  use(tags);
  request.cmdline = "x=1";
  request.modules.push_back({ImageFile{"m/mod", {7}}, "y"});
  std::vector<u8> rsdp(36, 0x11);
  rsdp[15] = 2;
  memory.write(0x80000, rsdp);
  request.acpi_rsdp = 0x80000;
  request.reserved = {{0x80000, 0x1000, MemoryType::AcpiReclaimable}};
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.format, ImageFormat::Multiboot2);
  EXPECT_EQ(image.boot.rax, 0x36d76289u);
  EXPECT_EQ(image.boot.rbx % 8, 0u);
  EXPECT_EQ(image.boot.rip, 0x100010u);

  const auto at = tags_at(image.boot.rbx);
  EXPECT_EQ(sample::peek_string(memory, at.at(1)), "kernel.elf x=1");
  EXPECT_EQ(sample::peek_string(memory, at.at(2)), "softvt");
  EXPECT_EQ(sample::peek(memory, sample::peek32(memory, at.at(3)), 1), 7u);
  EXPECT_EQ(sample::peek_string(memory, at.at(3) + 8), "mod y");
  EXPECT_EQ(sample::peek32(memory, at.at(4)), 0x80000u / 1024);
  EXPECT_EQ(sample::peek32(memory, at.at(6)), 24u);
  EXPECT_EQ(sample::peek32(memory, at.at(9)), 3u);
  EXPECT_EQ(sample::peek32(memory, at.at(9) + 4), 64u);
  EXPECT_EQ(sample::peek_bytes(memory, at.at(14), 20),
            std::vector<u8>(rsdp.begin(), rsdp.begin() + 20));
  EXPECT_EQ(sample::peek_bytes(memory, at.at(15), 36), rsdp);
  EXPECT_EQ(at.count(0), 1u);
  EXPECT_EQ(at.count(21), 0u);
}

TEST_F(Multiboot2Test, EntryTagWins) {
  sample::put_tag(tags, 3, 0, {0x100020});
  use(tags);
  EXPECT_EQ(load_ok().boot.rip, 0x100020u);
}

TEST_F(Multiboot2Test, AddressTagPlacesTheImage) {
  sample::put_tag(tags, 2, 0, {0x300100, 0x300000, 0, 0x301000});
  sample::put_tag(tags, 3, 0, {0x300040});
  use(tags);
  const LoadedImage image = load_ok();
  EXPECT_EQ(image.boot.rip, 0x300040u);
  EXPECT_EQ(sample::peek_bytes(memory, 0x300000, request.kernel.bytes.size()),
            request.kernel.bytes);
}

TEST_F(Multiboot2Test, AddressTagNeedsAnEntry) {
  sample::put_tag(tags, 2, 0, {0x300100, 0xffffffff, 0, 0});
  use(tags);
  EXPECT_NE(error_text().find("expected an entry address tag next to the address tag, found none"),
            std::string::npos);
}

TEST_F(Multiboot2Test, RelocatableImageGoesWhereItWants) {
  sample::put_tag(tags, 10, 0, {0x200000, 0x3ffffff, 0x200000, 2});
  use(tags);
  const LoadedImage high = load_ok();
  EXPECT_EQ(high.boot.rip, 0x3e00010u);
  EXPECT_EQ(sample::peek32(memory, tags_at(high.boot.rbx).at(21)), 0x3e00000u);

  BlobWriter lowest;
  sample::put_tag(lowest, 10, 0, {0x200001, 0x3ffffff, 0x200000, 1});
  use(lowest);
  EXPECT_EQ(load_ok().boot.rip, 0x400010u);

  BlobWriter none;
  sample::put_tag(none, 10, 0, {0x0, 0x3ffffff, 0x200000, 0});
  use(none);
  EXPECT_EQ(load_ok().boot.rip, 0x100010u);

  BlobWriter nowhere;
  sample::put_tag(nowhere, 10, 0, {0x8000000, 0x9000000, 0x1000, 0});
  use(nowhere);
  EXPECT_NE(error_text().find("at 0x8000000-0x9000000 aligned to 0x1000, found no such gap"),
            std::string::npos);
}

TEST_F(Multiboot2Test, RequiredThingsThatAreMissingAreOneError) {
  const auto text_with = [&](u16 type, u16 flags, const std::vector<u32>& words) {
    BlobWriter one;
    sample::put_tag(one, type, flags, words);
    use(one);
    return error_text();
  };
  EXPECT_EQ(text_with(1, 0, {4, 8}),
            "dir/kernel.elf: at offset 0x11c: expected a request for information that this loader "
            "has, found a required request for type 8");
  EXPECT_EQ(text_with(1, 1, {4, 8}), "(loaded)");
  EXPECT_EQ(text_with(4, 0, {1}),
            "dir/kernel.elf: at offset 0x118: expected an image that needs no video console, found "
            "console flags 0x1");
  EXPECT_EQ(text_with(5, 0, {0, 0, 0}),
            "dir/kernel.elf: at offset 0x110: expected an image that needs no framebuffer, found a "
            "required framebuffer tag");
  EXPECT_EQ(text_with(5, 1, {0, 0, 0}), "(loaded)");
  EXPECT_EQ(text_with(99, 0, {}),
            "dir/kernel.elf: at offset 0x110: expected a header tag of type 0 to 10, found a "
            "required tag of type 99");
  EXPECT_EQ(text_with(3, 0, {}),
            "dir/kernel.elf: at offset 0x114: expected at least 12 bytes for tag 3, found 8");
  EXPECT_EQ(text_with(10, 0, {0, 0, 3, 0}),
            "dir/kernel.elf: at offset 0x120: expected a power of two as alignment, found 0x3");
  EXPECT_EQ(text_with(10, 0, {0, 0, 1, 7}),
            "dir/kernel.elf: at offset 0x124: expected a load preference of 0, 1 or 2, found 7");
}

TEST_F(Multiboot2Test, WrongHeadersAreOneError) {
  use(tags);
  request.format = ImageFormat::Multiboot2;
  patch(sample::kElfContent + 12, 0, 4);
  EXPECT_NE(error_text().find("found a wrong checksum"), std::string::npos);

  use(tags);
  patch(sample::kElfContent + 16 + 4, 1000, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x114: expected a tag size from 8 to 8, found 1000");
  use(tags);
  patch(sample::kElfContent + 16, 6, 2);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x118: expected an end tag, found the end of the header");
  use(tags);
  patch(sample::kElfContent + 4, 4, 4);
  patch(sample::kElfContent + 12, u32{0} - 0xe85250d6u - 4 - 24, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x104: expected architecture 0 (i386), found 4");
  use(tags);
  patch(sample::kElfContent + 8, 0x9000, 4);
  patch(sample::kElfContent + 12, u32{0} - 0xe85250d6u - 0x9000, 4);
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x108: expected a header within the first 32768 bytes, "
            "found 0x9000 bytes at 0x100");
}

TEST_F(Multiboot2Test, RootPointerOutsideOfRamIsOneError) {
  use(tags);
  request.acpi_rsdp = 0xf0000000;
  EXPECT_EQ(error_text(),
            "dir/kernel.elf: at offset 0x0: expected an ACPI root pointer in RAM, found "
            "0xf0000000");
}

}  // namespace
}  // namespace softvt::loader
