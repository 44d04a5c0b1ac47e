#include "devices/pci_host.h"

#include <algorithm>

#include "machine/platform.h"

namespace softvt {
namespace {

constexpr u32 kAddressEnable = 0x80000000;
constexpr u32 kAddressMask = 0x80fffffc;
constexpr unsigned kRoutingShift = 8;
constexpr u64 kBytesPerFunctionShift = 12;
constexpr u8 kBridgeClass = 0x06;
constexpr u8 kHostBridgeSubClass = 0x00;
constexpr u8 kIsaBridgeSubClass = 0x01;
constexpr u16 kIntel = 0x8086;
constexpr PciIdentity kHostBridge = {kIntel, 0x29c0, kBridgeClass, kHostBridgeSubClass};
constexpr PciIdentity kIsaBridge = {kIntel, 0x2918, kBridgeClass, kIsaBridgeSubClass, 0, 2};

// Initial values and writable bits of the two bridges. Firmware for this chipset family programs
// the windows below to the addresses that this board has fixed; the rest of the chipset's private
// registers is plain memory, so that what firmware writes reads back.
struct BridgeRegister {
  u16 offset;
  u32 value;
  u32 writable;
};
constexpr u16 kPrivateFirst = 0x40;
constexpr BridgeRegister kHostBridgeRegisters[] = {
    {0x04, 0x00000006, 0x00000004},                        // command: memory space, bus master
    {0x60, static_cast<u32>(platform::kEcamBase) | 1, 0},  // PCIEXBAR: ECAM base, enabled
};
constexpr BridgeRegister kIsaBridgeRegisters[] = {
    {0x04, 0x02000007, 0x00000000},    // command: I/O, memory, bus master; medium DEVSEL
    {0x40, platform::kPmBase | 1, 0},  // PMBASE: an I/O range
    {0x44, 0x00000080, 0x00000080},    // ACPI_CNTL: the PMBASE block is on
    {0x60, 0x80808080, 0xffffffff},    // PIRQA-D: not routed to the 8259
    {0x68, 0x80808080, 0xffffffff},    // PIRQE-H
};

template <size_t kCount>
void program(PciConfigSpace& space, const BridgeRegister (&rows)[kCount]) {
  for (u16 offset = kPrivateFirst; offset < PciConfigSpace::kSize; offset += 4) {
    space.set_writable(offset, ~u32{0}, 4);
  }
  for (const BridgeRegister& row : rows) {
    space.set(row.offset, row.value, 4);
    space.set_writable(row.offset, row.writable, 4);
  }
}

// The largest naturally aligned piece that starts at `offset` and is not longer than `size`.
unsigned piece_size(u16 offset, unsigned size) {
  if (size >= 4 && offset % 4 == 0) return 4;
  return size >= 2 && offset % 2 == 0 ? 2 : 1;
}

constexpr u64 low_bytes(unsigned size) { return size >= 8 ? ~u64{0} : (u64{1} << (8 * size)) - 1; }

}  // namespace

PciHost::PciHost() : host_bridge_(kHostBridge), isa_bridge_(kIsaBridge) {
  program(host_bridge_, kHostBridgeRegisters);
  program(isa_bridge_, kIsaBridgeRegisters);
  add({0, 0, 0}, host_bridge_);
  add({0, platform::kIsaBridgeDevice, 0}, isa_bridge_);
}

bool PciHost::add(PciAddress address, PciFunction& function) {
  if (address.device > 31 || address.function > 7) return false;
  const u32 routing = u32{address.bus} << 8 | u32{address.device} << 3 | address.function;
  return functions_.emplace(routing, &function).second;
}

PciFunction* PciHost::find(u32 routing) const {
  const auto found = functions_.find(routing);
  return found == functions_.end() ? nullptr : found->second;
}

u32 PciHost::port_read(u16 port, unsigned size) {
  const u32 all_ones = static_cast<u32>(low_bytes(size));
  if (port == platform::kPciConfigAddress) return size == 4 ? address_register_ : all_ones;
  const unsigned byte = static_cast<u16>(port - platform::kPciConfigData);
  if (byte >= platform::kPciConfigDataPorts) return all_ones;
  if ((address_register_ & kAddressEnable) == 0) return all_ones;
  // Ports behind 0xcff are not part of the data register: their bytes float high.
  const unsigned inside = std::min(size, platform::kPciConfigDataPorts - byte);
  const u32 outside_ones = all_ones & ~static_cast<u32>(low_bytes(inside));
  const u16 offset = static_cast<u16>((address_register_ & 0xfc) + byte);
  const u32 routing = (address_register_ & ~kAddressEnable) >> kRoutingShift;
  return static_cast<u32>(read(routing, offset, inside)) | outside_ones;
}

void PciHost::port_write(u16 port, u32 value, unsigned size) {
  if (port == platform::kPciConfigAddress) {
    if (size == 4) address_register_ = value & kAddressMask;
    return;
  }
  const unsigned byte = static_cast<u16>(port - platform::kPciConfigData);
  if (byte >= platform::kPciConfigDataPorts) return;
  if ((address_register_ & kAddressEnable) == 0) return;
  const unsigned inside = std::min(size, platform::kPciConfigDataPorts - byte);
  const u16 offset = static_cast<u16>((address_register_ & 0xfc) + byte);
  write((address_register_ & ~kAddressEnable) >> kRoutingShift, offset, value, inside);
}

u64 PciHost::mmio_read(u64 offset, unsigned size) {
  if (offset >= platform::kEcamSize) return low_bytes(size);
  const u32 routing = static_cast<u32>(offset >> kBytesPerFunctionShift);
  return read(routing, static_cast<u16>(offset & kPageMask), size);
}

void PciHost::mmio_write(u64 offset, u64 value, unsigned size) {
  if (offset >= platform::kEcamSize) return;
  const u32 routing = static_cast<u32>(offset >> kBytesPerFunctionShift);
  write(routing, static_cast<u16>(offset & kPageMask), value, size);
}

u64 PciHost::read(u32 routing, u16 offset, unsigned size) {
  PciFunction* function = find(routing);
  if (function == nullptr) return low_bytes(size);
  u64 value = 0;
  for (unsigned done = 0; done < size;) {
    const u16 at = static_cast<u16>(offset + done);
    const unsigned piece = piece_size(at, size - done);
    value |= (u64{function->config_read(at, piece)} & low_bytes(piece)) << (8 * done);
    done += piece;
  }
  return value;
}

void PciHost::write(u32 routing, u16 offset, u64 value, unsigned size) {
  PciFunction* function = find(routing);
  if (function == nullptr) return;
  for (unsigned done = 0; done < size;) {
    const u16 at = static_cast<u16>(offset + done);
    const unsigned piece = piece_size(at, size - done);
    function->config_write(at, static_cast<u32>(value >> (8 * done) & low_bytes(piece)), piece);
    done += piece;
  }
}

}  // namespace softvt
