#include "loader/image_file.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

namespace softvt {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string error_text(int code) { return std::generic_category().message(code); }

}  // namespace

LoadResult<ImageFile> read_image_file(const std::string& path) {
  std::error_code status;
  const bool is_directory = std::filesystem::is_directory(path, status);
  if (is_directory) return LoadError{path, 0, "a readable file", "a directory"};
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return LoadError{path, 0, "a readable file", error_text(errno)};

  ImageFile image{path, {}};
  constexpr std::size_t kStep = std::size_t{1} << 20;
  constexpr std::size_t kMaxFileSize = std::size_t{4} << 30;
  std::size_t used = 0;
  for (;;) {
    image.bytes.resize(used + kStep);
    const std::size_t count = std::fread(image.bytes.data() + used, 1, kStep, file.get());
    used += count;
    if (count < kStep) break;
    if (used >= kMaxFileSize) return LoadError{path, used, "a file below 4 GiB", "more bytes"};
  }
  if (std::ferror(file.get()) != 0) {
    return LoadError{path, used, "readable bytes", error_text(errno)};
  }
  image.bytes.resize(used);
  return image;
}

}  // namespace softvt
