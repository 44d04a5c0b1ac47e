// Thousands of damaged images, always the same ones: each must give a result or one clear error.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>

#include "loader/loader.h"
#include "loader/vector_memory.h"
#include "tests/loader/sample_images.h"

namespace softvt::loader {
namespace {

constexpr u32 kSeed = 20240311;
constexpr int kMutationsPerSample = 4000;

std::vector<ImageFile> samples() {
  BlobWriter tags;
  sample::put_tag(tags, 1, 0, {4, 6});
  sample::put_tag(tags, 3, 0, {0x100010});
  sample::put_tag(tags, 10, 0, {0x100000, 0xffffffff, 0x1000, 2});
  sample::ElfOptions multiboot1;
  multiboot1.content = sample::multiboot1_header(3);
  sample::ElfOptions elf32;
  elf32.is64 = false;
  elf32.machine = 3;
  return {sample::bzimage(),
          sample::elf(),
          sample::elf(elf32),
          sample::elf(sample::pvh_options()),
          sample::elf(multiboot1),
          sample::multiboot1_raw(),
          sample::multiboot2_elf(tags),
          sample::boot_sector()};
}

class Mutator {
 public:
  void mutate(std::vector<u8>& bytes) {
    for (u32 i = 0, count = 1 + pick(4); i < count && !bytes.empty(); ++i) mutate_once(bytes);
  }
  u32 pick(std::size_t limit) { return static_cast<u32>(random_() % limit); }

 private:
  // Most damage goes where the headers are.
  std::size_t place(const std::vector<u8>& bytes) {
    const std::size_t near = std::min<std::size_t>(bytes.size(), 0x300);
    return pick(4) == 0 ? pick(bytes.size()) : pick(near);
  }
  void mutate_once(std::vector<u8>& bytes) {
    constexpr u8 kEdges[] = {0, 1, 0x7f, 0x80, 0xff};
    const std::size_t at = place(bytes);
    switch (pick(5)) {
      case 0:
        bytes[at] ^= static_cast<u8>(1u << pick(8));
        break;
      case 1:
        bytes[at] = kEdges[pick(std::size(kEdges))];
        break;
      case 2: {  // a whole field at an edge
        const u8 value = kEdges[pick(std::size(kEdges))];
        const std::size_t end = std::min(bytes.size(), at + (std::size_t{1} << pick(4)));
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                  bytes.begin() + static_cast<std::ptrdiff_t>(end), value);
        break;
      }
      case 3:
        bytes[at] = static_cast<u8>(random_());
        break;
      default:
        if (pick(8) == 0) bytes.resize(at);
        break;
    }
  }

  std::mt19937 random_{kSeed};
};

TEST(LoaderMutation, EveryDamagedImageGivesAResultOrOneClearError) {
  constexpr std::optional<ImageFormat> kForced[] = {
      std::nullopt,     ImageFormat::BzImage,    ImageFormat::BzImage32, ImageFormat::Multiboot,
      ImageFormat::Pvh, ImageFormat::Multiboot2, ImageFormat::Elf,       ImageFormat::Flat};
  Mutator mutator;
  VectorMemory memory(u64{32} << 20, u64{1} << 20);
  int loaded = 0;
  int refused = 0;
  for (const ImageFile& sample : samples()) {
    for (int i = 0; i < kMutationsPerSample; ++i) {
      LoadRequest request;
      request.kernel = sample;
      mutator.mutate(request.kernel.bytes);
      if (mutator.pick(4) == 0) request.format = kForced[mutator.pick(std::size(kForced))];
      if (mutator.pick(8) == 0) request.initrd = ImageFile{"initrd", std::vector<u8>(100, 1)};
      const auto result = load(request, memory);
      if (result) {
        ++loaded;
        continue;
      }
      ++refused;
      const LoadError& error = result.error();
      EXPECT_FALSE(error.file.empty());
      EXPECT_FALSE(error.expected.empty());
      EXPECT_FALSE(error.found.empty());
      EXPECT_EQ(error.text().find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(loaded, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(LoaderMutation, EveryTruncationGivesAResultOrAnError) {
  VectorMemory memory(u64{32} << 20);
  for (const ImageFile& sample : samples()) {
    for (std::size_t size = 0; size < std::min<std::size_t>(sample.bytes.size(), 0x400); ++size) {
      LoadRequest request;
      request.kernel = sample;
      request.kernel.bytes.resize(size);
      const auto result = load(request, memory);
      EXPECT_TRUE(result || !result.error().text().empty());
    }
  }
}

}  // namespace
}  // namespace softvt::loader
