// Guest memory held in two vectors: for tests and for tools that only look at an image.
#pragma once
#include <algorithm>
#include <vector>

#include "loader/guest_memory.h"

namespace softvt {

class VectorMemory : public GuestMemory {
 public:
  explicit VectorMemory(u64 low_size, u64 high_size = 0)
      : low_(std::min(low_size, kMaxLowRamEnd)), high_(high_size) {}

  bool write(u64 gpa, std::span<const u8> bytes) override {
    u8* target = find(*this, gpa, bytes.size());
    if (target == nullptr) return false;
    std::copy(bytes.begin(), bytes.end(), target);
    return true;
  }
  bool read(u64 gpa, std::span<u8> bytes) const override {
    const u8* source = find(*this, gpa, bytes.size());
    if (source == nullptr) return false;
    std::copy_n(source, bytes.size(), bytes.begin());
    return true;
  }
  bool zero(u64 gpa, u64 length) override {
    u8* target = find(*this, gpa, length);
    if (target == nullptr) return false;
    for (u64 i = 0; i < length && i < low_.size() + high_.size(); ++i) target[i] = 0;
    return true;
  }
  u64 low_ram_end() const override { return low_.size(); }
  u64 high_ram_size() const override { return high_.size(); }

 private:
  template <typename Self>
  static auto find(Self& self, u64 gpa, u64 length) -> decltype(self.low_.data()) {
    const bool is_high = gpa >= kFourGiB;
    auto& part = is_high ? self.high_ : self.low_;
    const u64 offset = is_high ? gpa - kFourGiB : gpa;
    if (offset >= part.size() || length > part.size() - offset) return nullptr;
    return part.data() + offset;
  }

  std::vector<u8> low_;
  std::vector<u8> high_;
};

}  // namespace softvt
