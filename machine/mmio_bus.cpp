#include "machine/mmio_bus.h"

namespace softvt {

void MmioBus::map(u64 base, u64 size, MmioDevice& device) {
  windows_.push_back(std::make_unique<Window>(base, size, device));
  memory_.add_mmio(base, (size + kPageMask) & ~kPageMask, windows_.back().get());
}

// True if the device may be given the access in one piece.
bool MmioBus::Window::whole(u64 offset, unsigned size) const {
  const bool inside = offset < size_ && size <= size_ - offset;
  return inside && (offset & 7) + size <= 8;
}

u64 MmioBus::Window::mmio_read(u64 pa, unsigned size) {
  const u64 offset = pa - base_;
  if (whole(offset, size)) return device_.mmio_read(offset, size);
  u64 value = 0;
  for (unsigned i = 0; i < size && i < 8; ++i) {
    const u64 byte = offset + i < size_ ? device_.mmio_read(offset + i, 1) & 0xff : 0xff;
    value |= byte << (8 * i);
  }
  return value;
}

void MmioBus::Window::mmio_write(u64 pa, u64 value, unsigned size) {
  const u64 offset = pa - base_;
  if (whole(offset, size)) return device_.mmio_write(offset, value, size);
  for (unsigned i = 0; i < size && i < 8; ++i) {
    if (offset + i < size_) device_.mmio_write(offset + i, value >> (8 * i) & 0xff, 1);
  }
}

}  // namespace softvt
