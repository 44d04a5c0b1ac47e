// libFuzzer target: any bytes as a kernel image. The first byte chooses the format: 0 finds it from
// the bytes, others force one.
#include <array>
#include <cstdlib>
#include <optional>

#include "loader/loader.h"
#include "loader/vector_memory.h"

namespace {

using softvt::ImageFormat;

constexpr std::array<std::optional<ImageFormat>, 9> kFormats{
    std::nullopt,           ImageFormat::BzImage,   ImageFormat::BzImage32,
    ImageFormat::BzImage64, ImageFormat::Multiboot, ImageFormat::Multiboot2,
    ImageFormat::Pvh,       ImageFormat::Elf,       ImageFormat::Flat,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const softvt::u8* data, std::size_t size) {
  if (size == 0) return 0;
  // Kept between inputs: nothing that a loader answers depends on what memory held before.
  static softvt::VectorMemory memory(softvt::u64{32} << 20, softvt::u64{1} << 20);
  softvt::LoadRequest request;
  request.format = kFormats[data[0] % kFormats.size()];
  request.kernel = {"fuzzed", std::vector<softvt::u8>(data + 1, data + size)};
  const auto result = softvt::load(request, memory);
  if (!result && result.error().text().empty()) std::abort();
  return 0;
}
