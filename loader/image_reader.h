// Little-endian reads from an image, each checked against its end.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "cpu/types.h"
#include "loader/image_file.h"
#include "loader/result.h"

namespace softvt::loader {

// A read beyond the end answers 0 and is remembered: read a whole structure, then ask `error()`.
class ImageReader {
 public:
  explicit ImageReader(const ImageFile& file) : file_(file) {}

  u8 get8(u64 offset, const char* what) { return static_cast<u8>(get(offset, 1, what)); }
  u16 get16(u64 offset, const char* what) { return static_cast<u16>(get(offset, 2, what)); }
  u32 get32(u64 offset, const char* what) { return static_cast<u32>(get(offset, 4, what)); }
  u64 get64(u64 offset, const char* what) { return get(offset, 8, what); }
  // `width` is at most 8.
  u64 get(u64 offset, unsigned width, const char* what);
  // Empty, and remembered as an error, if a byte is beyond the end.
  std::span<const u8> get_bytes(u64 offset, u64 length, const std::string& what);

  bool has(u64 offset, u64 length) const {
    return offset <= file_.bytes.size() && length <= file_.bytes.size() - offset;
  }
  u64 size() const { return file_.bytes.size(); }

  // The first read that failed.
  const MaybeLoadError& error() const { return error_; }
  LoadError make_error(u64 offset, std::string expected, std::string found) const {
    return {file_.name, offset, std::move(expected), std::move(found)};
  }

 private:
  bool check(u64 offset, u64 length, const std::string& what);

  const ImageFile& file_;
  MaybeLoadError error_;
};

}  // namespace softvt::loader
