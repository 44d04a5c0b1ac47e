// A device whose registers are bytes: wider accesses are split into accesses to consecutive ports,
// low byte at the low port, as an 8-bit bus does it.
#pragma once
#include "devices/device.h"

namespace softvt {

class BytePortDevice : public PortDevice {
 public:
  u32 port_read(u16 port, unsigned size) final {
    u32 value = 0;
    for (unsigned i = 0; i < size && i < 4; ++i) {
      value |= u32{read_byte(static_cast<u16>(port + i))} << (8 * i);
    }
    return value;
  }
  void port_write(u16 port, u32 value, unsigned size) final {
    for (unsigned i = 0; i < size && i < 4; ++i) {
      write_byte(static_cast<u16>(port + i), static_cast<u8>(value >> (8 * i)));
    }
  }

 protected:
  // A port that the device does not have reads as 0xff and ignores writes.
  virtual u8 read_byte(u16 port) = 0;
  virtual void write_byte(u16 port, u8 value) = 0;
};

constexpr u8 kOpenBus = 0xff;

}  // namespace softvt
