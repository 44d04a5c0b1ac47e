#include "trace/format.h"

#include <cstdio>

namespace softvt::trace {

std::string hex(u64 value) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string hex_padded(u64 value, unsigned bits) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%0*llx", static_cast<int>((bits + 3) / 4),
                static_cast<unsigned long long>(value));
  return text;
}

std::string hex_bytes(std::span<const u8> bytes) {
  std::string text;
  for (const u8 byte : bytes) {
    if (!text.empty()) text += ' ';
    text += hex_padded(byte, 8).substr(2);
  }
  return text;
}

// RFC 8259, 7 "Strings". What a guest writes need not be UTF-8: bytes from 80H are told as Latin-1.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace softvt::trace
