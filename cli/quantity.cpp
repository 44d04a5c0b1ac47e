#include "cli/quantity.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <span>
#include <string>

namespace softvt::cli {
namespace {

struct Unit {
  std::string_view name;
  u64 factor;
};

constexpr Unit kSizes[] = {{"", u64{1} << 20},
                           {"k", u64{1} << 10},
                           {"m", u64{1} << 20},
                           {"g", u64{1} << 30},
                           {"t", u64{1} << 40}};
constexpr Unit kDurations[] = {{"", 1'000'000'000},  {"ns", 1},
                               {"us", 1000},         {"ms", 1'000'000},
                               {"s", 1'000'000'000}, {"m", 60'000'000'000}};
constexpr Unit kCounts[] = {{"", 1}, {"k", 1000}, {"m", 1'000'000}, {"g", 1'000'000'000}};

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == y;
  });
}

std::optional<u64> parse(std::string_view text, std::span<const Unit> units) {
  u64 number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name(rest, static_cast<size_t>(end - rest));
  for (const Unit& unit : units) {
    u64 product;
    if (!same_name(name, unit.name)) continue;
    if (__builtin_mul_overflow(number, unit.factor, &product)) return std::nullopt;
    return product;
  }
  return std::nullopt;
}

}  // namespace

std::optional<u64> parse_size(std::string_view text) { return parse(text, kSizes); }
std::optional<u64> parse_duration(std::string_view text) { return parse(text, kDurations); }
std::optional<u64> parse_count(std::string_view text) { return parse(text, kCounts); }

std::optional<u16> parse_port(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  u16 port = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, port, hex ? 16 : 10);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return port;
}

}  // namespace softvt::cli
