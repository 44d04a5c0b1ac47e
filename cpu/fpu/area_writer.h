// Writes parts of a save area: all of them, or none and a fault.
#pragma once
#include <array>

#include "cpu/access.h"

namespace softvt::fpu {

class AreaWriter {
 public:
  void add(unsigned offset, const u8* bytes, unsigned size) {
    if (size != 0 && count_ < parts_.size()) parts_[count_++] = Part{offset, size, bytes};
  }
  // Probes every part before the first is written.
  bool write(Cpu& cpu, u64 linear) const {
    for (unsigned i = 0; i < count_; ++i) {
      if (!probe_write(cpu, linear + parts_[i].offset, parts_[i].size)) return false;
    }
    for (unsigned i = 0; i < count_; ++i) {
      const Part& p = parts_[i];
      if (!write_linear(cpu, linear + p.offset, p.bytes, p.size)) return false;
    }
    return true;
  }

 private:
  struct Part {
    unsigned offset, size;
    const u8* bytes;
  };
  std::array<Part, 16> parts_;
  unsigned count_ = 0;
};

}  // namespace softvt::fpu
