#include "machine/machine.h"

#include <algorithm>
#include <utility>

#include "machine/acpi_tables.h"
#include "machine/platform.h"

namespace softvt {
namespace {

constexpr u64 kMaxFirmware = u64{16} << 20;
constexpr u64 kShadowSize = platform::kBiosAreaEnd - platform::kBiosAreaBase;

}  // namespace

Machine::Machine(MachineConfig config)
    : config_(std::move(config)),
      ram_(memory_, split_ram(config_.ram_size)),
      scheduler_(timeline_, *this) {}

// Local APICs and devices have timers in timeline_, so they go before it.
Machine::~Machine() {
  vcpus_.clear();
  backend_.reset();
  board_.reset();
}

std::unique_ptr<Machine> Machine::create(MachineConfig config, std::string& error) {
  if (config.model == nullptr) {
    error = "no CPU model";
    return nullptr;
  }
  if (config.vcpus == 0 || config.vcpus > kMaxVcpus) {
    error = "a machine has 1 to " + std::to_string(kMaxVcpus) + " vcpus, not " +
            std::to_string(config.vcpus);
    return nullptr;
  }
  const u64 size = config.ram_size;
  if (size < kMinRam || size > kMaxRam || (size & kPageMask) != 0) {
    error = "memory must be between 1M and 1T and a multiple of 4K";
    return nullptr;
  }
  std::unique_ptr<Machine> machine(new Machine(std::move(config)));
  if (!machine->build(error) || !machine->start(error)) return nullptr;
  return machine;
}

bool Machine::build(std::string& error) {
  if (!ram_.create()) {
    error = "the host has no room for " + std::to_string(config_.ram_size) + " bytes of memory";
    return false;
  }
  BoardConfig board;
  board.vcpus = config_.vcpus;
  board.exit_port = config_.exit_port;
  board.console = config_.console;
  board.console_script = config_.console_script;
  board_ = std::make_unique<Board>(board, board_events(), memory_, ram_, timeline_, interconnect_);
  return map_firmware(error) && build_vcpus(error);
}

bool Machine::build_vcpus(std::string& error) {
  backend_ = open_backend(config_.accel, memory_, error);
  if (backend_ == nullptr) return false;
  for (u32 index = 0; index < config_.vcpus; ++index) {
    const VcpuEnvironment environment{memory_,        timeline_, *board_,      interconnect_,
                                      *config_.model, index,     config_.vcpus};
    auto vcpu = backend_->create_vcpu(environment, error);
    if (vcpu == nullptr) return false;
    scheduler_.add(*vcpu);
    vcpus_.push_back(std::move(vcpu));
  }
  return true;
}

BoardEvents Machine::board_events() {
  BoardEvents events;
  events.power_off = [this] { scheduler_.request({.cause = ExitCause::PowerOff}); };
  events.reset = [this] { scheduler_.request({.cause = ExitCause::Reset}); };
  events.debug_exit = [this](u32 value) {
    scheduler_.request({.cause = ExitCause::DebugExit, .value = value});
  };
  events.panic = [this](u8 happened) {
    // A guest with a crash kernel goes on by itself.
    if ((happened & kPvPanicPanicked) != 0) scheduler_.request({.cause = ExitCause::GuestPanic});
  };
  events.intr = [this](bool level) {
    for (const auto& vcpu : vcpus_) vcpu->set_intr(level);
  };
  return events;
}

// Firmware ends at 4 GiB; its last part can be seen below 1 MiB too.
bool Machine::map_firmware(std::string& error) {
  if (!config_.bios) return true;
  const u64 size = config_.bios->bytes.size();
  if (size == 0 || size > kMaxFirmware || (size & kPageMask) != 0) {
    error = config_.bios->name + ": at offset 0x0: expected firmware of up to 16M, a multiple of " +
            "4K, found " + std::to_string(size) + " bytes";
    return false;
  }
  if (memory_.add_ram(kFourGiB - size, size, true)) return true;
  error = "the host has no room for the firmware";
  return false;
}

bool Machine::start(std::string& error) {
  return config_.bios ? start_firmware(error) : start_image(error);
}

bool Machine::start_firmware(std::string& error) {
  const std::vector<u8>& bytes = config_.bios->bytes;
  const u64 shadow = std::min<u64>(bytes.size(), kShadowSize);
  const bool written =
      memory_.write(kFourGiB - bytes.size(), bytes.data(), bytes.size()) &&
      memory_.write(platform::kBiosAreaEnd - shadow, &bytes[bytes.size() - shadow], shadow);
  if (!written) error = config_.bios->name + ": the firmware does not fit into memory";
  return written;
}

bool Machine::write_acpi_tables(LoadRequest& request, std::string& error) {
  AcpiConfig acpi;
  acpi.vcpus = config_.vcpus;
  acpi.ram_below_4g = ram_.layout().below_4g;
  acpi.ram_above_4g = ram_.layout().above_4g;
  const auto blobs = build_acpi_tables(acpi);
  if (!blobs) {
    error = "the ACPI tables do not fit into the BIOS area";
    return false;
  }
  for (const AcpiBlob& blob : *blobs) {
    if (memory_.write(blob.address, blob.bytes.data(), blob.bytes.size())) continue;
    error = "memory ends below the ACPI tables";
    return false;
  }
  request.acpi_rsdp = acpi.rsdp_address;
  request.reserved.push_back({platform::kBiosAreaBase, kShadowSize, MemoryType::Reserved});
  request.reserved.push_back({platform::kEcamBase, platform::kEcamSize, MemoryType::Reserved});
  return true;
}

bool Machine::start_image(std::string& error) {
  LoadRequest request = config_.image;
  request.vcpus = config_.vcpus;
  if (!write_acpi_tables(request, error)) return false;
  LoadResult<LoadedImage> loaded = load(request, ram_);
  if (!loaded) {
    error = loaded.error().text();
    return false;
  }
  image_ = std::move(*loaded);
  vcpus_.front()->set_boot_state(image_.boot);
  return true;
}

// Time and the contents of memory go on, as on hardware.
bool Machine::reset(std::string& error) {
  ++resets_;
  board_->reset();
  for (const auto& vcpu : vcpus_) vcpu->power_on_reset();
  return start(error);
}

MachineExit Machine::run(const RunLimits& limits, HostSide* host) {
  for (;;) {
    MachineExit exit = scheduler_.run(limits, host);
    if (exit.cause != ExitCause::Reset || config_.no_reboot) return exit;
    std::string error;
    if (!reset(error)) return {.cause = ExitCause::InternalError, .detail = error};
  }
}

u64 Machine::serve_io(const VcpuExit::Io& io) {
  if (!io.write) return board_->port_in(io.port, io.size);
  board_->port_out(io.port, io.value, io.size);
  return 0;
}

u64 Machine::serve_mmio(const VcpuExit::Mmio& mmio) {
  if (!mmio.write) return memory_.read_any(mmio.address, mmio.size);
  memory_.write_any(mmio.address, mmio.value, mmio.size);
  return 0;
}

}  // namespace softvt
