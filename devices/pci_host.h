// The PCI root: configuration mechanism 1 (ports 0xcf8 and 0xcfc, PCI Local Bus 3.0, 3.2.2.3.2)
// and the memory-mapped window (ECAM, PCI Express Base 7.2.2) over the same functions. Brings its
// own host bridge at 00:00.0 and an ISA bridge at 00:1f.0.
//
// The board maps 0xcf8 as one port: only a dword access there is the address register, which leaves
// the byte port 0xcf9 to the reset control.
#pragma once
#include <map>

#include "devices/device.h"
#include "devices/pci_function.h"

namespace softvt {

struct PciAddress {
  u8 bus;
  u8 device;    // 0..31
  u8 function;  // 0..7
};

class PciHost : public PortDevice, public MmioDevice {
 public:
  PciHost();

  std::string_view name() const override { return "pci-host"; }
  // Registers a function that outlives the host. False if the address is taken or impossible.
  bool add(PciAddress address, PciFunction& function);
  void reset() { address_register_ = 0; }

  u32 port_read(u16 port, unsigned size) override;
  void port_write(u16 port, u32 value, unsigned size) override;
  u64 mmio_read(u64 offset, unsigned size) override;
  void mmio_write(u64 offset, u64 value, unsigned size) override;

 private:
  u64 read(u32 routing, u16 offset, unsigned size);
  void write(u32 routing, u16 offset, u64 value, unsigned size);
  PciFunction* find(u32 routing) const;

  // The key is bus << 8 | device << 3 | function, the routing id.
  std::map<u32, PciFunction*> functions_;
  PciConfigSpace host_bridge_;
  PciConfigSpace isa_bridge_;
  u32 address_register_ = 0;
};

}  // namespace softvt
