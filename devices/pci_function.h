// What the PCI host knows of a function: its configuration space. `PciConfigSpace` is the usual
// implementation, bytes with a mask of writable bits.
#pragma once
#include <array>

#include "cpu/types.h"

namespace softvt {

class PciFunction {
 public:
  virtual ~PciFunction() = default;
  // `size` is 1, 2 or 4, `offset` below 4096 and a multiple of `size`.
  virtual u32 config_read(u16 offset, unsigned size) = 0;
  virtual void config_write(u16 offset, u32 value, unsigned size) = 0;
};

// The header registers that every function has (PCI Local Bus 3.0, 6.1).
struct PciIdentity {
  u16 vendor;
  u16 device;
  u8 base_class;
  u8 sub_class;
  u8 programming_interface = 0;
  u8 revision = 0;
  u16 subsystem_vendor = 0;
  u16 subsystem = 0;
};

// A conventional function: 256 bytes; the extended space behind them reads as all ones.
class PciConfigSpace : public PciFunction {
 public:
  static constexpr u16 kSize = 256;

  explicit PciConfigSpace(const PciIdentity& identity);

  u32 config_read(u16 offset, unsigned size) override;
  void config_write(u16 offset, u32 value, unsigned size) override;

  // For the owner: sets initial bytes, or the bits that the guest may write. Little-endian.
  void set(u16 offset, u32 value, unsigned size) { put(bytes_, offset, value, size); }
  void set_writable(u16 offset, u32 mask, unsigned size) { put(writable_, offset, mask, size); }

 private:
  using Bytes = std::array<u8, kSize>;
  static void put(Bytes& to, u16 offset, u32 value, unsigned size);

  Bytes bytes_{};
  Bytes writable_{};
};

}  // namespace softvt
