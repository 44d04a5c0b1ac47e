#include "machine/port_bus.h"

#include <algorithm>

namespace softvt {
namespace {

constexpr u32 kFloatingByte = 0xff;

}  // namespace

bool PortBus::map(u16 first, u32 count, PortDevice& device) {
  if (count == 0 || count > kPorts - first) return false;
  const auto begin = owner_.begin() + first;
  if (std::any_of(begin, begin + count, [](u8 owner) { return owner != 0; })) return false;
  auto known = std::find(devices_.begin(), devices_.end(), &device);
  if (known == devices_.end()) {
    if (devices_.size() == kMaxDevices) return false;
    known = devices_.insert(devices_.end(), &device);
  }
  std::fill_n(begin, count, static_cast<u8>(known - devices_.begin() + 1));
  return true;
}

u32 PortBus::read(u16 port, unsigned size) {
  if (PortDevice* device = find(port)) return device->port_read(port, size);
  u32 value = 0;
  for (unsigned i = 0; i < size && i < 4; ++i) {
    PortDevice* device = i == 0 ? nullptr : find(u32{port} + i);
    const u32 byte =
        device == nullptr ? kFloatingByte : device->port_read(static_cast<u16>(port + i), 1);
    value |= (byte & 0xff) << (8 * i);
  }
  return value;
}

void PortBus::write(u16 port, u32 value, unsigned size) {
  if (PortDevice* device = find(port)) return device->port_write(port, value, size);
  for (unsigned i = 1; i < size && i < 4; ++i) {
    if (PortDevice* device = find(u32{port} + i)) {
      device->port_write(static_cast<u16>(port + i), value >> (8 * i) & 0xff, 1);
    }
  }
}

}  // namespace softvt
