// What the board knows of a device: ranges of ports or of memory that it answers, and interrupt
// lines that it drives. A device is wired by machine/; it never looks for another one itself.
#pragma once
#include <functional>
#include <string_view>

#include "cpu/types.h"

namespace softvt {

// Answers accesses to I/O ports. `size` is 1, 2 or 4 bytes; `port` is the absolute port number.
class PortDevice {
 public:
  virtual ~PortDevice() = default;
  virtual std::string_view name() const = 0;
  virtual u32 port_read(u16 port, unsigned size) = 0;
  virtual void port_write(u16 port, u32 value, unsigned size) = 0;
};

// Answers accesses to physical memory. `offset` counts from the start of the mapped range, `size`
// is 1, 2, 4 or 8 bytes; an access never crosses a naturally aligned 8-byte boundary.
class MmioDevice {
 public:
  virtual ~MmioDevice() = default;
  virtual std::string_view name() const = 0;
  virtual u64 mmio_read(u64 offset, unsigned size) = 0;
  virtual void mmio_write(u64 offset, u64 value, unsigned size) = 0;
};

// An interrupt line: true while the source asserts it. Edge or level is the receiver's matter.
using IrqLine = std::function<void(bool level)>;

}  // namespace softvt
