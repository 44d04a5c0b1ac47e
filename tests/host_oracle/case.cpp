#include "tests/host_oracle/case.h"

#include <algorithm>
#include <cstring>

namespace softvt::oracle {

FxImage default_fx() {
  FxImage fx{};
  fx_put<u16>(fx, kFxFcw, 0x37f);
  fx_put<u32>(fx, kFxMxcsr, 0x1f80);
  return fx;
}

void Case::add_patch(u64 address, const void* bytes, unsigned size) {
  if (patch_count == kMostPatches || address < kData || address >= kHole) return;
  Patch& p = patches[patch_count++];
  p.address = static_cast<u32>(address);
  p.size = static_cast<u8>(std::min<u64>({size, kPatchBytes, kHole - address}));
  std::memcpy(p.bytes.data(), bytes, p.size);
}

void fill_memory(const Case& c, u8* memory) {
  static const auto background = [] {
    std::array<u8, kMemorySize> b{};
    for (u64 i = 0; i < b.size(); ++i) b[i] = background_byte(i);
    return b;
  }();
  std::memcpy(memory, background.data(), kMemorySize);
  for (unsigned i = 0; i < c.patch_count; ++i) {
    const Patch& p = c.patches[i];
    std::memcpy(memory + (p.address - kData), p.bytes.data(), p.size);
  }
}

}  // namespace softvt::oracle
