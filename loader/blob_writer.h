// Builds little-endian structures for the guest.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "cpu/types.h"

namespace softvt::loader {

class BlobWriter {
 public:
  void put8(u8 value) { put(value, 1); }
  void put16(u16 value) { put(value, 2); }
  void put32(u64 value) { put(value, 4); }
  void put64(u64 value) { put(value, 8); }
  void put(u64 value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) bytes_.push_back(static_cast<u8>(value >> (8 * i)));
  }
  void put_bytes(std::span<const u8> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  // With the closing zero.
  void put_string(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    bytes_.push_back(0);
  }
  void align(std::size_t alignment) {
    while (bytes_.size() % alignment != 0) bytes_.push_back(0);
  }
  // Replaces bytes that were put before.
  void patch(std::size_t offset, u64 value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) bytes_.at(offset + i) = static_cast<u8>(value >> (8 * i));
  }
  std::size_t size() const { return bytes_.size(); }
  std::span<const u8> bytes() const { return bytes_; }

 private:
  std::vector<u8> bytes_;
};

}  // namespace softvt::loader
