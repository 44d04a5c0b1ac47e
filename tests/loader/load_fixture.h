// A small machine's memory and the two outcomes of loading into it.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/loader/memory_peek.h"
#include "tests/loader/sample_images.h"

namespace softvt::loader::sample {

class LoadFixture : public ::testing::Test {
 protected:
  LoadedImage load_ok() {
    auto result = load(request, memory);
    EXPECT_TRUE(result.ok()) << (result ? "" : result.error().text());
    return result ? *result : LoadedImage{};
  }
  std::string error_text() {
    const auto result = load(request, memory);
    return result ? "(loaded)" : result.error().text();
  }
  void patch(std::size_t offset, u64 value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
      request.kernel.bytes.at(offset + i) = static_cast<u8>(value >> (8 * i));
    }
  }
  static const LoadedRange* find_range(const LoadedImage& image, const std::string& name) {
    const auto at = std::find_if(image.reserved.begin(), image.reserved.end(),
                                 [&](const LoadedRange& range) { return range.name == name; });
    return at == image.reserved.end() ? nullptr : &*at;
  }

  VectorMemory memory{u64{64} << 20};
  LoadRequest request;
};

}  // namespace softvt::loader::sample
