// Numbers as text, the same in all outputs.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "cpu/types.h"

namespace softvt::trace {

std::string hex(u64 value);                        // 0x1f
std::string hex_padded(u64 value, unsigned bits);  // 0x0000001f
std::string hex_bytes(std::span<const u8> bytes);  // 0f 01 c1
std::string json_string(std::string_view text);    // with quotes

}  // namespace softvt::trace
