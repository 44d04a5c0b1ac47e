// Words for error lines.
#pragma once
#include <string>

#include "cpu/types.h"

namespace softvt::loader {

// "0x1f"
std::string hex(u64 value);
// "0x1000-0x1fff"; `size` isn't 0.
std::string span_text(u64 start, u64 size);
// The part of a path after its last slash.
std::string base_name(const std::string& path);

}  // namespace softvt::loader
