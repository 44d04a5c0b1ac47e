// The linear addresses that a case sees, natively and in softvt alike.
#pragma once
#include "cpu/types.h"

namespace softvt::oracle {

// Two pages of code, filled with INT3 around the instruction; nothing is mapped behind them.
constexpr u64 kCode = 0x10000000, kCodeSize = 2 * kPageSize;
// Two writable pages, one that can be read only, and a hole behind.
constexpr u64 kData = 0x10010000, kDataSize = 2 * kPageSize;
constexpr u64 kReadOnly = kData + kDataSize, kReadOnlySize = kPageSize;
constexpr u64 kMemorySize = kDataSize + kReadOnlySize;
constexpr u64 kHole = kReadOnly + kReadOnlySize;
constexpr u64 kNonCanonical = u64{0x8000} << 32;
constexpr u64 kGsBase = 0x08000000;

constexpr u8 kInt3 = 0xcc;

// Selectors of user code under 64-bit Linux.
constexpr u16 kUserCs = 0x33, kUserCs32 = 0x23, kUserData = 0x2b;

// What the data pages hold before a case writes its operands there.
constexpr u8 background_byte(u64 offset) {
  return static_cast<u8>((offset * 0x9e3779b97f4a7c15) >> 56);
}

}  // namespace softvt::oracle
