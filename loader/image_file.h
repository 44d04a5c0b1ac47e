// A file in memory, with the name by which errors speak of it.
#pragma once
#include <string>
#include <vector>

#include "cpu/types.h"
#include "loader/result.h"

namespace softvt {

struct ImageFile {
  std::string name;
  std::vector<u8> bytes;
};

// Reads a whole regular file.
LoadResult<ImageFile> read_image_file(const std::string& path);

}  // namespace softvt
