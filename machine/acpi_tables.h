// The ACPI tables of the board: what an operating system learns of processors, interrupt
// controllers and fixed hardware (ACPI 6.4, chapter 5). All addresses come from machine/platform.h.
#pragma once
#include <optional>
#include <vector>

#include "cpu/types.h"
#include "machine/platform.h"

namespace softvt {

struct AcpiConfig {
  u32 vcpus = 1;            // local APIC ids 0..vcpus-1
  u64 ram_below_4g = 0;     // bytes, at most platform::kRamBelow4GLimit
  u64 ram_above_4g = 0;     // bytes from 4 GiB on
  u64 pci_mmio64_size = 0;  // a window for 64-bit BARs behind the RAM above 4 GiB; 0 for none
  u64 rsdp_address = platform::kBiosAreaBase;
  // Where the other tables go: a block that the memory map reports as reserved. By default it
  // follows the RSDP in the BIOS area.
  u64 tables_base = platform::kBiosAreaBase + 0x40;
  u64 tables_end = platform::kBiosAreaEnd;
};

// Bytes that the loader copies to a guest physical address.
struct AcpiBlob {
  u64 address;
  std::vector<u8> bytes;
};

// The blobs, RSDP first. Nothing if the configuration is impossible: the RSDP not at a 16-byte
// boundary of the BIOS area, no or too many processors, tables that do not fit below 4 GiB or into
// their block or overlap the RSDP.
std::optional<std::vector<AcpiBlob>> build_acpi_tables(const AcpiConfig& config);

}  // namespace softvt
