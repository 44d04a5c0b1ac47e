#include "machine/board.h"

#include <utility>

#include "machine/platform.h"

namespace softvt {
namespace {

CmosConfig cmos_config(const GuestRam& ram) {
  CmosConfig config;
  config.ram_below_4g = ram.layout().below_4g;
  config.ram_above_4g = ram.layout().above_4g;
  return config;
}

FwCfgConfig fw_cfg_config(const BoardConfig& board, const GuestRam& ram) {
  const RamLayout& layout = ram.layout();
  FwCfgConfig config;
  config.ram_size = layout.below_4g + layout.above_4g;
  config.vcpus = config.max_vcpus = static_cast<u16>(board.vcpus);
  config.e820.push_back({0, layout.below_4g, E820Type::kRam});
  if (layout.above_4g != 0) config.e820.push_back({kFourGiB, layout.above_4g, E820Type::kRam});
  return config;
}

GuestMemoryAccess memory_access(PhysMemory& memory) {
  return {[&memory](u64 address, void* to, u64 size) { return memory.read(address, to, size); },
          [&memory](u64 address, const void* from, u64 size) {
            return memory.write(address, from, size);
          }};
}

}  // namespace

Board::Board(const BoardConfig& config, BoardEvents events, PhysMemory& memory, GuestRam& ram,
             Timeline& timeline, ApicInterconnect& interconnect)
    : mmio_(memory),
      irqs_(interconnect, std::move(events.intr)),
      pit_(timeline, irqs_.isa_line(platform::kIrqPit)),
      cmos_(timeline, irqs_.isa_line(platform::kIrqRtc), cmos_config(ram)),
      keyboard_(irqs_.isa_line(platform::kIrqKeyboard), a20_, events.reset),
      hpet_(timeline, irqs_.hpet_lines()),
      power_(timeline, irqs_.isa_line(platform::kIrqSci), events.power_off),
      reset_control_(a20_, events.reset),
      fw_cfg_(fw_cfg_config(config, ram), memory_access(memory)),
      panic_(std::move(events.panic)),
      debug_exit_(std::move(events.debug_exit), config.exit_port.value_or(0)),
      debug_console_(config.console),
      shutdown_(events.power_off),
      console_(platform::kCom1, timeline, irqs_.isa_line(platform::kIrqCom1), config.console),
      console_port_(platform::kCom1, console_, config.console_script) {
  interconnect.on_eoi([this](u8 vector) { irqs_.ioapic().eoi(vector); });
  map_ports(config);
  map_memory();
}

void Board::map_ports(const BoardConfig& config) {
  using namespace platform;
  struct Row {
    u16 first;
    u16 count;
    PortDevice& device;
  };
  // A port that --exit-port takes goes to it.
  if (config.exit_port) ports_.map(*config.exit_port, 1, debug_exit_);
  const Row rows[] = {
      {kPicMaster, 2, irqs_.pic()},
      {kPicSlave, 2, irqs_.pic()},
      {kPicElcr, 2, irqs_.pic()},
      {kPit, 4, pit_},
      {kSystemControlB, 1, pit_},
      {kI8042Data, 1, keyboard_},
      {kI8042Command, 1, keyboard_},
      {kCmosIndex, 2, cmos_},
      {kPostCode, 1, post_},
      {kIoDelay, 1, post_},
      {kSystemControlA, 1, reset_control_},
      {kResetControl, 1, reset_control_},
      {kDebugCon, 1, debug_console_},
      {kPvPanic, 1, panic_},
      {kFwCfgSelector, kFwCfgPorts, fw_cfg_},
      {kSmiCommand, 2, power_},
      {kPmBase, kPmPorts, power_},
      {kPciConfigAddress, 1, pci_},
      {kPciConfigData, kPciConfigDataPorts, pci_},
      {kShutdown, 1, shutdown_},
      {kCom1, kUartPorts, console_port_},
  };
  for (const Row& row : rows) ports_.map(row.first, row.count, row.device);
}

void Board::map_memory() {
  mmio_.map(platform::kIoApicBase, kPageSize, irqs_.ioapic());
  mmio_.map(platform::kHpetBase, platform::kHpetSize, hpet_);
  mmio_.map(platform::kEcamBase, platform::kEcamSize, pci_);
}

void Board::reset() {
  a20_.reset();
  pit_.reset();
  cmos_.reset();
  keyboard_.reset();
  hpet_.reset();
  pci_.reset();
  power_.reset();
  reset_control_.reset();
  fw_cfg_.reset();
  shutdown_.reset();
  console_.reset();
  irqs_.reset();
}

}  // namespace softvt
