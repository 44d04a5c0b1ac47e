#include "loader/text.h"

#include <array>
#include <charconv>

#include "loader/result.h"

namespace softvt {

std::string LoadError::text() const {
  return file + ": at offset " + loader::hex(offset) + ": expected " + expected + ", found " +
         found;
}

namespace loader {

std::string hex(u64 value) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

std::string span_text(u64 start, u64 size) { return hex(start) + "-" + hex(start + size - 1); }

std::string base_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace loader
}  // namespace softvt
