#include "devices/pci_function.h"

namespace softvt {
namespace {

enum Header : u16 {
  kVendor = 0x00,
  kDevice = 0x02,
  kRevision = 0x08,
  kProgrammingInterface = 0x09,
  kSubClass = 0x0a,
  kBaseClass = 0x0b,
  kCacheLine = 0x0c,
  kSubsystemVendor = 0x2c,
  kSubsystem = 0x2e,
  kInterruptLine = 0x3c
};

}  // namespace

PciConfigSpace::PciConfigSpace(const PciIdentity& identity) {
  set(kVendor, identity.vendor, 2);
  set(kDevice, identity.device, 2);
  set(kRevision, identity.revision, 1);
  set(kProgrammingInterface, identity.programming_interface, 1);
  set(kSubClass, identity.sub_class, 1);
  set(kBaseClass, identity.base_class, 1);
  set(kSubsystemVendor, identity.subsystem_vendor, 2);
  set(kSubsystem, identity.subsystem, 2);
  set_writable(kCacheLine, 0xff, 1);
  set_writable(kInterruptLine, 0xff, 1);
}

void PciConfigSpace::put(Bytes& to, u16 offset, u32 value, unsigned size) {
  for (unsigned i = 0; i < size && i < 4 && offset + i < kSize; ++i) {
    to[offset + i] = static_cast<u8>(value >> (8 * i));
  }
}

u32 PciConfigSpace::config_read(u16 offset, unsigned size) {
  u32 value = 0;
  for (unsigned i = 0; i < size && i < 4; ++i) {
    const u8 byte = offset + i < kSize ? bytes_[offset + i] : u8{0xff};
    value |= u32{byte} << (8 * i);
  }
  return value;
}

void PciConfigSpace::config_write(u16 offset, u32 value, unsigned size) {
  for (unsigned i = 0; i < size && i < 4 && offset + i < kSize; ++i) {
    const u8 mask = writable_[offset + i];
    u8& byte = bytes_[offset + i];
    byte = static_cast<u8>((byte & ~mask) | (static_cast<u8>(value >> (8 * i)) & mask));
  }
}

}  // namespace softvt
