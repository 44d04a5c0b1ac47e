// Reading guest memory in tests.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "loader/vector_memory.h"

namespace softvt::loader::sample {

inline u64 peek(const GuestMemory& memory, u64 gpa, unsigned width) {
  std::vector<u8> bytes(width);
  EXPECT_TRUE(memory.read(gpa, bytes)) << gpa;
  u64 value = 0;
  for (unsigned i = width; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}
inline u32 peek32(const GuestMemory& memory, u64 gpa) {
  return static_cast<u32>(peek(memory, gpa, 4));
}
inline u64 peek64(const GuestMemory& memory, u64 gpa) { return peek(memory, gpa, 8); }

inline std::vector<u8> peek_bytes(const GuestMemory& memory, u64 gpa, std::size_t size) {
  std::vector<u8> bytes(size);
  EXPECT_TRUE(memory.read(gpa, bytes)) << gpa;
  return bytes;
}

inline std::string peek_string(const GuestMemory& memory, u64 gpa) {
  std::string text;
  for (u8 c; (c = static_cast<u8>(peek(memory, gpa + text.size(), 1))) != 0;) {
    text += static_cast<char>(c);
  }
  return text;
}

}  // namespace softvt::loader::sample
