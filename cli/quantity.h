// Numbers with units, as they stand on the command line.
#pragma once
#include <optional>
#include <string_view>

#include "cpu/types.h"

namespace softvt::cli {

// Bytes: "512M", "8G", "64K", "1T"; without a unit MiB.
std::optional<u64> parse_size(std::string_view text);
// Nanoseconds: "10s", "500ms", "20us", "7ns", "2m"; without a unit seconds.
std::optional<u64> parse_duration(std::string_view text);
// "1000000", "200k", "5M", "3G": decimal units.
std::optional<u64> parse_count(std::string_view text);
// 0..65535, decimal or 0x.
std::optional<u16> parse_port(std::string_view text);

}  // namespace softvt::cli
