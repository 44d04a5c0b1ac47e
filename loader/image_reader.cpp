#include "loader/image_reader.h"

#include "loader/text.h"

namespace softvt::loader {

u64 ImageReader::get(u64 offset, unsigned width, const char* what) {
  if (!has(offset, width)) {
    check(offset, width, what);
    return 0;
  }
  u64 value = 0;
  for (unsigned i = 0; i < width; ++i) value |= u64{file_.bytes[offset + i]} << (8 * i);
  return value;
}

std::span<const u8> ImageReader::get_bytes(u64 offset, u64 length, const std::string& what) {
  if (!check(offset, length, what)) return {};
  return std::span(file_.bytes).subspan(offset, length);
}

bool ImageReader::check(u64 offset, u64 length, const std::string& what) {
  if (has(offset, length)) return true;
  if (!error_) {
    error_ = make_error(offset, std::to_string(length) + " bytes of " + what,
                        "the end of the file at " + hex(size()));
  }
  return false;
}

}  // namespace softvt::loader
