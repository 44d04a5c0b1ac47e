// The fixed addresses, ports and interrupt numbers of the board. Devices, ACPI tables and the
// board's wiring all take them from here, so that the three cannot disagree.
#pragma once
#include "cpu/types.h"

namespace softvt::platform {

// --- Physical memory ---------------------------------------------------------------------------
// RAM below 4 GiB ends here at the latest: the ECAM window follows.
constexpr u64 kRamBelow4GLimit = 0xb0000000;
constexpr u64 kEcamBase = 0xb0000000;
constexpr u64 kEcamBuses = 256;
constexpr u64 kEcamBytesPerBus = u64{1} << 20;
constexpr u64 kEcamSize = kEcamBuses * kEcamBytesPerBus;
constexpr u64 kPciMmioBase = 0xc0000000;
constexpr u64 kPciMmioEnd = 0xfec00000;  // exclusive
constexpr u64 kIoApicBase = 0xfec00000;
constexpr u64 kHpetBase = 0xfed00000;
constexpr u64 kHpetSize = 0x400;
constexpr u64 kLocalApicBase = 0xfee00000;
constexpr u64 kVgaBase = 0xa0000;
constexpr u64 kVgaSize = 0x20000;
// The area that an operating system scans for the RSDP (ACPI 6.4, 5.2.5.1).
constexpr u64 kBiosAreaBase = 0xe0000;
constexpr u64 kBiosAreaEnd = 0x100000;

// --- I/O ports ---------------------------------------------------------------------------------
constexpr u16 kPicMaster = 0x20;
constexpr u16 kPicSlave = 0xa0;
constexpr u16 kPicElcr = 0x4d0;
constexpr u16 kPit = 0x40;
constexpr u16 kSystemControlB = 0x61;
constexpr u16 kI8042Data = 0x60;
constexpr u16 kI8042Command = 0x64;
constexpr u16 kCmosIndex = 0x70;
constexpr u16 kCmosData = 0x71;
constexpr u16 kPostCode = 0x80;
constexpr u16 kSystemControlA = 0x92;
constexpr u16 kSmiCommand = 0xb2;
constexpr u16 kSmiStatus = 0xb3;
constexpr u16 kDebugCon = 0xe9;
constexpr u16 kIoDelay = 0xed;
constexpr u16 kDebugExit = 0xf4;
constexpr u16 kCom1 = 0x3f8;
constexpr u16 kCom2 = 0x2f8;
constexpr u16 kCom3 = 0x3e8;
constexpr u16 kCom4 = 0x2e8;
constexpr u16 kUartPorts = 8;
constexpr u16 kPvPanic = 0x505;
constexpr u16 kFwCfgSelector = 0x510;
constexpr u16 kFwCfgData = 0x511;
constexpr u16 kFwCfgDma = 0x514;
constexpr u16 kFwCfgPorts = 12;
// The ACPI block; the offsets inside it are those of the ICH9 PMBASE block.
constexpr u16 kPmBase = 0x600;
constexpr u16 kPm1Event = kPmBase;
constexpr u16 kPm1EventPorts = 4;
constexpr u16 kPm1Control = kPmBase + 4;
constexpr u16 kPm1ControlPorts = 2;
constexpr u16 kPmTimer = kPmBase + 8;
constexpr u16 kPmTimerPorts = 4;
constexpr u16 kGpe0 = kPmBase + 0x20;
constexpr u16 kGpe0Ports = 16;
constexpr u16 kPmPorts = 0x30;
// 0xcf8 answers dword accesses only, so the byte port 0xcf9 can belong to the reset control.
constexpr u16 kPciConfigAddress = 0xcf8;
constexpr u16 kResetControl = 0xcf9;
constexpr u16 kPciConfigData = 0xcfc;
constexpr u16 kPciConfigDataPorts = 4;
constexpr u16 kShutdown = 0x8900;

// --- Interrupts --------------------------------------------------------------------------------
constexpr unsigned kIrqPit = 0;
constexpr unsigned kIrqKeyboard = 1;
constexpr unsigned kIrqCom2 = 3;
constexpr unsigned kIrqCom1 = 4;
constexpr unsigned kIrqRtc = 8;
constexpr unsigned kIrqSci = 9;
constexpr unsigned kIrqMouse = 12;
// ISA interrupts reach the I/O APIC pin of the same number, but the PIT's comes in at pin 2.
constexpr unsigned kGsiPit = 2;
constexpr unsigned kGsiPciFirst = 16;
constexpr unsigned kGsiPciCount = 4;
constexpr u8 kIoApicId = 0;

// The I/O APIC pin of interrupt pin `pin` (0 = INTA .. 3 = INTD) of the function in slot `device`.
constexpr unsigned pci_intx_gsi(unsigned device, unsigned pin) {
  return kGsiPciFirst + (device + pin) % kGsiPciCount;
}

// --- Values that a device and a table must agree on ---------------------------------------------
constexpr u8 kSmiAcpiEnable = 2;
constexpr u8 kSmiAcpiDisable = 3;
constexpr u8 kSleepTypeS5 = 0;  // SLP_TYP of soft-off; small guests write 0x2000 to PM1a control
constexpr u8 kResetValue = 0x06;
constexpr bool kPmTimer32Bit = true;
constexpr u64 kPmTimerHz = 3579545;
constexpr u8 kCmosCentury = 0x32;
// Low half of the HPET's capability register: revision 1, three comparators, 64-bit counter,
// legacy replacement route, vendor 8086.
constexpr u32 kHpetBlockId = 0x8086a201;
constexpr u8 kIsaBridgeDevice = 0x1f;

}  // namespace softvt::platform
