// The I/O ports. The device at the first port of an access gets all of it; where nobody answers, a
// wide access is done again byte by byte, as the ISA bridge does it for 8-bit devices.
#pragma once
#include <array>
#include <vector>

#include "devices/device.h"

namespace softvt {

class PortBus {
 public:
  // False if one of the ports is taken or there are too many devices. The device must outlive the
  // bus.
  bool map(u16 first, u32 count, PortDevice& device);

  u32 read(u16 port, unsigned size);
  void write(u16 port, u32 value, unsigned size);
  const PortDevice* device_at(u16 port) const { return find(port); }

 private:
  static constexpr u32 kPorts = 65536;
  static constexpr size_t kMaxDevices = 255;

  PortDevice* find(u32 port) const {
    return port < kPorts && owner_[port] != 0 ? devices_[owner_[port] - 1u] : nullptr;
  }

  std::vector<u8> owner_ = std::vector<u8>(kPorts, 0);  // number of the device + 1; 0 for none
  std::vector<PortDevice*> devices_;
};

}  // namespace softvt
