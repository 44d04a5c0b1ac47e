// The devices of the machine, mapped and wired. Addresses and interrupt numbers come from
// platform.h.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cpu/apic/apic_bus.h"
#include "cpu/cpu.h"
#include "devices/acpi_pm.h"
#include "devices/cmos.h"
#include "devices/debug_exit.h"
#include "devices/debugcon.h"
#include "devices/fw_cfg.h"
#include "devices/hpet.h"
#include "devices/i8042.h"
#include "devices/i8254.h"
#include "devices/pci_host.h"
#include "devices/post_port.h"
#include "devices/pvpanic.h"
#include "devices/reset_control.h"
#include "devices/shutdown_port.h"
#include "devices/uart16550.h"
#include "machine/guest_ram.h"
#include "machine/irq_router.h"
#include "machine/mmio_bus.h"
#include "machine/port_bus.h"
#include "machine/scripted_input.h"

namespace softvt {

struct BoardConfig {
  u32 vcpus = 1;
  std::optional<u16> exit_port = platform::kDebugExit;
  std::function<void(u8)> console;  // bytes that the guest sends
  std::string console_script;       // bytes that it receives when it listens
};

// What the board reports. All are called from within an access of a vcpu.
struct BoardEvents {
  std::function<void()> power_off;
  std::function<void()> reset;
  std::function<void(u32 value)> debug_exit;
  std::function<void(u8 events)> panic;
  std::function<void(bool level)> intr;
};

class Board : public Bus {
 public:
  Board(const BoardConfig& config, BoardEvents events, PhysMemory& memory, GuestRam& ram,
        Timeline& timeline, ApicInterconnect& interconnect);
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  u32 port_in(u16 port, unsigned size) override { return ports_.read(port, size); }
  void port_out(u16 port, u32 value, unsigned size) override { ports_.write(port, value, size); }
  bool extint_pending() override { return irqs_.pic().intr(); }
  u8 extint_acknowledge() override { return irqs_.pic().acknowledge(); }

  void reset();
  // A byte from the terminal.
  void type(u8 byte) { console_.receive(byte); }
  PortBus& ports() { return ports_; }
  IrqRouter& irqs() { return irqs_; }
  FwCfg& fw_cfg() { return fw_cfg_; }

 private:
  void map_ports(const BoardConfig& config);
  void map_memory();

  PortBus ports_;
  MmioBus mmio_;
  IrqRouter irqs_;
  A20Gate a20_;  // the address mask itself is not modelled: bit 20 always passes
  I8254 pit_;
  Cmos cmos_;
  I8042 keyboard_;
  Hpet hpet_;
  PciHost pci_;
  AcpiPm power_;
  ResetControl reset_control_;
  FwCfg fw_cfg_;
  PvPanic panic_;
  DebugExit debug_exit_;
  DebugCon debug_console_;
  PostPort post_;
  ShutdownPort shutdown_;
  Uart16550 console_;
  ScriptedInput console_port_;
};

}  // namespace softvt
