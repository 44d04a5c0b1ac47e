#include "machine/aml.h"

#include <algorithm>

namespace softvt::aml {
namespace {

enum Op : u8 {
  kZeroOp = 0x00,
  kOneOp = 0x01,
  kNameOp = 0x08,
  kBytePrefix = 0x0a,
  kWordPrefix = 0x0b,
  kDwordPrefix = 0x0c,
  kStringPrefix = 0x0d,
  kQwordPrefix = 0x0e,
  kScopeOp = 0x10,
  kBufferOp = 0x11,
  kPackageOp = 0x12,
  kDualNamePrefix = 0x2e,
  kMultiNamePrefix = 0x2f,
  kExtOpPrefix = 0x5b,
  kExtDeviceOp = 0x82
};

enum Descriptor : u8 {
  kIrqNoFlags = 0x22,
  kIoPort = 0x47,
  kEndTag = 0x79,
  kFixedMemory32 = 0x86,
  kWindow32 = 0x87,
  kWindow16 = 0x88,
  kWindow64 = 0x8a
};

constexpr size_t kSegmentSize = 4;
constexpr u8 kDecode16 = 1;
constexpr u8 kReadWrite = 1;
// A producer, positively decoded, with both ends fixed.
constexpr u8 kWindowFlags = 0x0c;
constexpr u8 kIoEntireRange = 3;

void put(Bytes& to, u64 value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) to.push_back(static_cast<u8>(value >> (8 * i)));
}

void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

// PkgLength (20.2.4) counts itself; `size` is what follows it.
Bytes package_length(size_t size) {
  if (size + 1 < 0x40) return {static_cast<u8>(size + 1)};
  unsigned more = 1;
  while (more < 3 && size + 1 + more >= size_t{1} << (4 + 8 * more)) ++more;
  const size_t length = size + 1 + more;
  Bytes out{static_cast<u8>(more << 6 | (length & 0x0f))};
  put(out, length >> 4, more);
  return out;
}

Bytes with_length(const Bytes& opcode, const Bytes& contents) {
  return join({opcode, package_length(contents.size()), contents});
}

Bytes segment(std::string_view name) {
  Bytes out(kSegmentSize, '_');
  std::copy_n(name.begin(), std::min(name.size(), kSegmentSize), out.begin());
  return out;
}

Bytes window(Descriptor tag, WindowType type, u64 first, u64 last, unsigned width) {
  u8 type_flags = 0;
  if (type == WindowType::kMemory) type_flags = kReadWrite;
  if (type == WindowType::kIo) type_flags = kIoEntireRange;
  constexpr unsigned kFieldCount = 5;
  constexpr unsigned kFlagBytes = 3;
  Bytes out{tag};
  put(out, kFlagBytes + kFieldCount * width, 2);
  out.push_back(static_cast<u8>(type));
  out.push_back(kWindowFlags);
  out.push_back(type_flags);
  const u64 fields[kFieldCount] = {0, first, last, 0, last - first + 1};
  for (const u64 field : fields) put(out, field, width);
  return out;
}

}  // namespace

Bytes join(const std::vector<Bytes>& terms) {
  Bytes out;
  for (const Bytes& term : terms) append(out, term);
  return out;
}

Bytes name_path(std::string_view path) {
  Bytes out;
  if (!path.empty() && path.front() == '\\') {
    out.push_back('\\');
    path.remove_prefix(1);
  }
  std::vector<Bytes> segments;
  while (!path.empty()) {
    const size_t dot = std::min(path.find('.'), path.size());
    segments.push_back(segment(path.substr(0, dot)));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  if (segments.empty()) out.push_back(kZeroOp);  // NullName
  if (segments.size() == 2) out.push_back(kDualNamePrefix);
  if (segments.size() > 2) {
    out.push_back(kMultiNamePrefix);
    out.push_back(static_cast<u8>(segments.size()));
  }
  append(out, join(segments));
  return out;
}

Bytes integer(u64 value) {
  Bytes out;
  if (value <= 1) {
    out.push_back(value == 0 ? kZeroOp : kOneOp);
  } else if (value <= 0xff) {
    out.push_back(kBytePrefix);
    put(out, value, 1);
  } else if (value <= 0xffff) {
    out.push_back(kWordPrefix);
    put(out, value, 2);
  } else if (value <= 0xffffffff) {
    out.push_back(kDwordPrefix);
    put(out, value, 4);
  } else {
    out.push_back(kQwordPrefix);
    put(out, value, 8);
  }
  return out;
}

Bytes string(std::string_view text) {
  Bytes out{kStringPrefix};
  out.reserve(text.size() + 2);
  for (const char c : text) out.push_back(static_cast<u8>(c));
  out.push_back(0);
  return out;
}

// 19.3.4: three letters of five bits, four hexadecimal digits, most significant byte first.
Bytes eisa_id(std::string_view id) {
  u32 value = 0;
  for (size_t i = 0; i < id.size(); ++i) {
    const char c = id[i];
    if (i < 3) {
      value = value << 5 | ((c - 'A' + 1) & 0x1f);
    } else {
      value = value << 4 | ((c <= '9' ? c - '0' : c - 'A' + 10) & 0x0f);
    }
  }
  Bytes out{kDwordPrefix};
  for (unsigned shift = 32; shift > 0; shift -= 8)
    out.push_back(static_cast<u8>(value >> (shift - 8)));
  return out;
}

Bytes package(const std::vector<Bytes>& elements) {
  Bytes contents{static_cast<u8>(elements.size())};
  append(contents, join(elements));
  return with_length({kPackageOp}, contents);
}

Bytes buffer(const Bytes& contents) {
  return with_length({kBufferOp}, join({integer(contents.size()), contents}));
}

Bytes named(std::string_view name, const Bytes& value) {
  return join({{kNameOp}, name_path(name), value});
}

Bytes scope(std::string_view path, const std::vector<Bytes>& terms) {
  return with_length({kScopeOp}, join({name_path(path), join(terms)}));
}

Bytes device(std::string_view name, const std::vector<Bytes>& terms) {
  return with_length({kExtOpPrefix, kExtDeviceOp}, join({name_path(name), join(terms)}));
}

Bytes resource_template(const std::vector<Bytes>& descriptors) {
  // A checksum byte of 0 in the end tag means "not checked" (6.4.2.9).
  return buffer(join({join(descriptors), {kEndTag, 0}}));
}

Bytes io_ports(u16 first, u8 count) {
  Bytes out{kIoPort, kDecode16};
  put(out, first, 2);
  put(out, first, 2);
  out.push_back(1);  // alignment
  out.push_back(count);
  return out;
}

Bytes irq(unsigned line) {
  Bytes out{kIrqNoFlags};
  put(out, u64{1} << line, 2);
  return out;
}

Bytes fixed_memory(u32 base, u32 size) {
  Bytes out{kFixedMemory32};
  put(out, 9, 2);
  out.push_back(kReadWrite);
  put(out, base, 4);
  put(out, size, 4);
  return out;
}

Bytes window16(WindowType type, u16 first, u16 last) {
  return window(kWindow16, type, first, last, 2);
}
Bytes window32(WindowType type, u32 first, u32 last) {
  return window(kWindow32, type, first, last, 4);
}
Bytes window64(WindowType type, u64 first, u64 last) {
  return window(kWindow64, type, first, last, 8);
}

}  // namespace softvt::aml
