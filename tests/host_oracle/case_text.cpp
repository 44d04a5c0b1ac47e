#include "tests/host_oracle/case_text.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <sstream>

namespace softvt::oracle {
namespace {

constexpr const char* kGprNames[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                       "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

// Fields of the FXSAVE image that are numbers.
struct FxField {
  const char* name;
  unsigned offset, size;
};
constexpr FxField kFxFields[] = {
    {"fcw", kFxFcw, 2}, {"fsw", kFxFsw, 2}, {"ftw", kFxFtw, 1}, {"mxcsr", kFxMxcsr, 4}};

u64 field(const FxImage& fx, const FxField& f) {
  u64 v = 0;
  std::memcpy(&v, fx.data() + f.offset, f.size);
  return v;
}

std::optional<u64> parse_number(std::string_view text) {
  u64 v = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), v, 16);
  if (r.ec != std::errc{} || r.ptr != text.data() + text.size()) return std::nullopt;
  return v;
}

bool parse_bytes(std::string_view text, u8* out, std::size_t most, std::size_t& size) {
  size = text.size() / 2;
  if (text.size() % 2 != 0 || size > most) return false;
  for (std::size_t i = 0; i < size; ++i) {
    const auto v = parse_number(text.substr(2 * i, 2));
    if (!v) return false;
    out[i] = static_cast<u8>(*v);
  }
  return true;
}

// "xmm3" with prefix "xmm": 3.
std::optional<unsigned> register_number(std::string_view name, std::string_view prefix,
                                        unsigned count) {
  if (!name.starts_with(prefix)) return std::nullopt;
  unsigned v = 0;
  const std::string_view digits = name.substr(prefix.size());
  const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), v);
  if (r.ec != std::errc{} || r.ptr != digits.data() + digits.size() || v >= count)
    return std::nullopt;
  return v;
}

bool parse_state(std::string_view name, std::string_view value, Case& c) {
  std::size_t size = 0;
  if (const auto i = register_number(name, "xmm", 16)) {
    return parse_bytes(value, c.fx.data() + kFxXmm + *i * kFxStride, kFxStride, size);
  }
  if (const auto i = register_number(name, "st", 8)) {
    return parse_bytes(value, c.fx.data() + kFxSt + *i * kFxStride, kExtendedBytes, size);
  }
  const auto number = parse_number(value);
  if (!number) return false;
  for (const FxField& f : kFxFields) {
    if (name == f.name) {
      std::memcpy(c.fx.data() + f.offset, &*number, f.size);
      return true;
    }
  }
  for (unsigned i = 0; i < 16; ++i) {
    if (name == kGprNames[i]) {
      c.gpr[i] = *number;
      return true;
    }
  }
  if (name == "flags") c.flags = *number;
  if (name == "rip") c.rip = *number;
  return name == "flags" || name == "rip";
}

bool parse_token(std::string_view token, Case& c) {
  const std::size_t equals = token.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = token.substr(0, equals), value = token.substr(equals + 1);
  std::size_t size = 0;
  if (name == "mode") {
    c.compat = value == "32";
    return c.compat;
  }
  if (name == "code") {
    const bool ok = parse_bytes(value, c.code.data(), c.code.size(), size);
    c.code_size = static_cast<u8>(size);
    return ok;
  }
  if (name.starts_with("mem@")) {
    const auto at = parse_number(name.substr(4));
    u8 bytes[kPatchBytes];
    if (!at || !parse_bytes(value, bytes, sizeof(bytes), size)) return false;
    c.add_patch(*at, bytes, static_cast<unsigned>(size));
    return true;
  }
  return parse_state(name, value, c);
}

}  // namespace

std::string hex_of(const u8* bytes, unsigned size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string s;
  for (unsigned i = 0; i < size; ++i) {
    s += kDigits[bytes[i] >> 4];
    s += kDigits[bytes[i] & 15];
  }
  return s;
}

const char* gpr_name(unsigned number) { return kGprNames[number]; }

std::string to_text(const Case& c) {
  const Case plain;
  std::ostringstream s;
  s << "code=" << hex_of(c.code.data(), c.code_size) << std::hex << " rip=" << c.rip;
  if (c.compat) s << " mode=32";
  if (c.flags != plain.flags) s << " flags=" << c.flags;
  for (unsigned i = 0; i < 16; ++i) {
    if (c.gpr[i] != 0) s << ' ' << kGprNames[i] << '=' << c.gpr[i];
  }
  for (const FxField& f : kFxFields) {
    if (field(c.fx, f) != field(plain.fx, f)) s << ' ' << f.name << '=' << field(c.fx, f);
  }
  const auto vectors = [&](const char* name, unsigned offset, unsigned count, unsigned size) {
    for (unsigned i = 0; i < count; ++i) {
      const u8* v = c.fx.data() + offset + i * kFxStride;
      if (std::any_of(v, v + size, [](u8 b) { return b != 0; })) {
        s << ' ' << name << std::dec << i << '=' << hex_of(v, size);
      }
    }
  };
  vectors("st", kFxSt, 8, kExtendedBytes);
  vectors("xmm", kFxXmm, 16, kFxStride);
  s << std::hex;
  for (unsigned i = 0; i < c.patch_count; ++i) {
    const Patch& p = c.patches[i];
    s << " mem@" << p.address << '=' << hex_of(p.bytes.data(), p.size);
  }
  return s.str();
}

std::optional<Case> parse_case(const std::string& text) {
  std::istringstream in(text);
  std::string token;
  Case c;
  while (in >> token) {
    if (!parse_token(token, c)) return std::nullopt;
  }
  const bool placed = c.rip >= kCode && c.rip < kCode + kCodeSize && c.code_size != 0;
  return placed ? std::optional(c) : std::nullopt;
}

}  // namespace softvt::oracle
