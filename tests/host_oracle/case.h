// One case: an instruction and all state it can see; and what an execution made of it.
#pragma once
#include <array>

#include "cpu/bits.h"
#include "tests/host_oracle/layout.h"

namespace softvt::oracle {

// The first 416 bytes of a 64-bit FXSAVE image. SDM 1 10.5.1, table 10-2.
constexpr unsigned kFxSize = 416;
constexpr unsigned kFxFcw = 0, kFxFsw = 2, kFxFtw = 4, kFxMxcsr = 24, kFxSt = 32, kFxXmm = 160;
constexpr unsigned kExtendedBytes = 10, kFxStride = 16;
using FxImage = std::array<u8, kFxSize>;
FxImage default_fx();

template <class T>
T fx_get(const FxImage& fx, unsigned offset) {
  T v;
  __builtin_memcpy(&v, fx.data() + offset, sizeof(T));
  return v;
}
template <class T>
void fx_put(FxImage& fx, unsigned offset, T v) {
  __builtin_memcpy(fx.data() + offset, &v, sizeof(T));
}

constexpr unsigned kPatchBytes = 32, kMostPatches = 4, kMostCodeBytes = 32;
constexpr u64 kDefaultFlags = rflags::Fixed1 | rflags::IF;

struct Patch {
  u32 address = 0;  // within the data pages
  u8 size = 0;
  std::array<u8, kPatchBytes> bytes{};
};

struct Case {
  std::array<u64, 16> gpr{};
  u64 flags = kDefaultFlags;
  u64 rip = kCode;
  std::array<u8, kMostCodeBytes> code{};
  u8 code_size = 0;
  bool compat = false;  // 32-bit code: R8 to R15, XMM8 to XMM15 and upper halves are 0
  u8 patch_count = 0;
  std::array<Patch, kMostPatches> patches{};
  FxImage fx = default_fx();

  void add_patch(u64 address, const void* bytes, unsigned size);
};

// The state at the first exception; an instruction that has none runs into an INT3.
struct Outcome {
  static constexpr u8 kNoVector = 0xff;  // did not stop, or the process died of it
  u8 vector = kNoVector;
  u32 error = 0;
  u64 cr2 = 0;  // of page faults
  u64 rip = 0;
  u64 flags = 0;
  std::array<u64, 16> gpr{};
  FxImage fx{};
  std::array<u8, kMemorySize> memory{};
};

// Background and patches: what the data pages hold when the case starts.
void fill_memory(const Case& c, u8* memory);

}  // namespace softvt::oracle
