#include "machine/acpi_dsdt.h"

#include <string>

namespace softvt {
namespace {

using aml::Bytes;
using aml::WindowType;

constexpr unsigned kPciDevices = 32;
constexpr unsigned kPciPins = 4;
constexpr u64 kFourGib = u64{1} << 32;

// \_S5: SLP_TYP of soft-off for PM1a and PM1b, two reserved elements (7.4.2).
Bytes soft_off() {
  const Bytes type = aml::integer(platform::kSleepTypeS5);
  return aml::named("\\_S5", aml::package({type, type, aml::integer(0), aml::integer(0)}));
}

// _PRT (6.2.13): one package a slot and pin, straight to a pin of the I/O APIC.
Bytes pci_routing() {
  std::vector<Bytes> rows;
  for (unsigned device = 0; device < kPciDevices; ++device) {
    for (unsigned pin = 0; pin < kPciPins; ++pin) {
      rows.push_back(
          aml::package({aml::integer(device << 16 | 0xffff), aml::integer(pin), aml::integer(0),
                        aml::integer(platform::pci_intx_gsi(device, pin))}));
    }
  }
  return aml::named("_PRT", aml::package(rows));
}

Bytes pci_windows(const AcpiConfig& config) {
  constexpr u16 kConfigFirst = platform::kPciConfigAddress;
  constexpr u16 kConfigLast = platform::kPciConfigData + platform::kPciConfigDataPorts - 1;
  std::vector<Bytes> windows = {
      aml::window16(WindowType::kBusNumbers, 0, platform::kEcamBuses - 1),
      aml::io_ports(kConfigFirst, kConfigLast - kConfigFirst + 1),
      // The I/O space in two parts, around the configuration ports.
      aml::window16(WindowType::kIo, 0, kConfigFirst - 1),
      aml::window16(WindowType::kIo, kConfigLast + 1, 0xffff),
      aml::window32(WindowType::kMemory, platform::kVgaBase,
                    platform::kVgaBase + platform::kVgaSize - 1),
      aml::window32(WindowType::kMemory, platform::kPciMmioBase, platform::kPciMmioEnd - 1)};
  if (config.pci_mmio64_size != 0) {
    const u64 first = kFourGib + config.ram_above_4g;
    windows.push_back(
        aml::window64(WindowType::kMemory, first, first + config.pci_mmio64_size - 1));
  }
  return aml::named("_CRS", aml::resource_template(windows));
}

Bytes serial_port() {
  return aml::device(
      "COM1", {aml::named("_HID", aml::eisa_id("PNP0501")), aml::named("_UID", aml::integer(1)),
               aml::named("_CRS", aml::resource_template(
                                      {aml::io_ports(platform::kCom1, platform::kUartPorts),
                                       aml::irq(platform::kIrqCom1)}))});
}

Bytes real_time_clock() {
  return aml::device(
      "RTC", {aml::named("_HID", aml::eisa_id("PNP0B00")),
              aml::named("_CRS", aml::resource_template({aml::io_ports(platform::kCmosIndex, 2),
                                                         aml::irq(platform::kIrqRtc)}))});
}

// The id by which guests look for the panic port. _STA: present, working, not shown.
Bytes panic_port() {
  constexpr u64 kPresentHidden = 0x0b;
  return aml::device(
      "PEVT", {aml::named("_HID", aml::string("QEMU0001")),
               aml::named("_STA", aml::integer(kPresentHidden)),
               aml::named("_CRS", aml::resource_template({aml::io_ports(platform::kPvPanic, 1)}))});
}

Bytes isa_bridge() {
  return aml::device("ISA_",
                     {aml::named("_ADR", aml::integer(u64{platform::kIsaBridgeDevice} << 16)),
                      serial_port(), real_time_clock(), panic_port()});
}

Bytes pci_root(const AcpiConfig& config) {
  return aml::device(
      "PCI0",
      {aml::named("_HID", aml::eisa_id("PNP0A08")), aml::named("_CID", aml::eisa_id("PNP0A03")),
       aml::named("_UID", aml::integer(0)), aml::named("_SEG", aml::integer(0)),
       aml::named("_BBN", aml::integer(0)), pci_windows(config), pci_routing(), isa_bridge()});
}

// The ranges that belong to no device: an operating system trusts the ECAM window only if it is
// reserved here or in the memory map.
Bytes board_resources() {
  return aml::device(
      "MBRD",
      {aml::named("_HID", aml::eisa_id("PNP0C02")), aml::named("_UID", aml::integer(1)),
       aml::named("_CRS", aml::resource_template(
                              {aml::fixed_memory(platform::kEcamBase, platform::kEcamSize),
                               aml::io_ports(platform::kPmBase, platform::kPmPorts),
                               aml::io_ports(platform::kSmiCommand, 2),
                               aml::io_ports(platform::kFwCfgSelector, platform::kFwCfgPorts)}))});
}

Bytes hpet() {
  return aml::device(
      "HPET", {aml::named("_HID", aml::eisa_id("PNP0103")), aml::named("_UID", aml::integer(0)),
               aml::named("_CRS", aml::resource_template({aml::fixed_memory(
                                      platform::kHpetBase, platform::kHpetSize)}))});
}

// C000, C001, …: the _UID ties the device to its entry in the MADT.
Bytes processor(u32 index) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  const std::string name = {'C', kDigits[index >> 8 & 15], kDigits[index >> 4 & 15],
                            kDigits[index & 15]};
  return aml::device(
      name, {aml::named("_HID", aml::string("ACPI0007")), aml::named("_UID", aml::integer(index))});
}

}  // namespace

aml::Bytes build_dsdt_body(const AcpiConfig& config) {
  std::vector<Bytes> system = {pci_root(config), board_resources(), hpet()};
  for (u32 index = 0; index < config.vcpus; ++index) system.push_back(processor(index));
  return aml::join({soft_off(), aml::scope("\\_SB", system)});
}

}  // namespace softvt
