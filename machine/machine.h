// A whole machine: memory, devices, vcpus, and the image that it starts.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cpu/apic/apic_bus.h"
#include "cpu/cpuid/model.h"
#include "cpu/phys_memory.h"
#include "cpu/timeline.h"
#include "loader/loader.h"
#include "machine/backend.h"
#include "machine/board.h"
#include "machine/guest_ram.h"
#include "machine/scheduler.h"

namespace softvt {

constexpr u32 kMaxVcpus = 64;

struct MachineConfig {
  u64 ram_size = u64{512} << 20;
  u32 vcpus = 1;
  const CpuModel* model = nullptr;
  Accel accel = Accel::Bare;
  LoadRequest image;              // what is started, if there is no firmware
  std::optional<ImageFile> bios;  // firmware: the vcpu starts at the reset vector
  std::optional<u16> exit_port = platform::kDebugExit;
  bool no_reboot = false;  // a reset ends the run
  std::function<void(u8)> console;
  std::string console_script;
};

class Machine : private ExitServer {
 public:
  // Null and one line in `error` if the machine cannot be built or the image not be loaded.
  static std::unique_ptr<Machine> create(MachineConfig config, std::string& error);
  ~Machine() override;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  MachineExit run(const RunLimits& limits, HostSide* host = nullptr);

  u64 nanos() const { return timeline_.now(); }
  u64 instructions() const { return scheduler_.instructions(); }
  bool idle() const { return scheduler_.idle(); }
  unsigned resets() const { return resets_; }
  Board& board() { return *board_; }
  PhysMemory& memory() { return memory_; }
  size_t vcpu_count() const { return vcpus_.size(); }
  Vcpu& vcpu(size_t index) { return *vcpus_[index]; }
  const LoadedImage& image() const { return image_; }

 private:
  explicit Machine(MachineConfig config);

  bool build(std::string& error);
  bool build_vcpus(std::string& error);
  bool start(std::string& error);
  bool start_firmware(std::string& error);
  bool start_image(std::string& error);
  bool write_acpi_tables(LoadRequest& request, std::string& error);
  bool map_firmware(std::string& error);
  BoardEvents board_events();
  bool reset(std::string& error);

  u64 serve_io(const VcpuExit::Io& io) override;
  u64 serve_mmio(const VcpuExit::Mmio& mmio) override;

  MachineConfig config_;
  Timeline timeline_;
  PhysMemory memory_;
  GuestRam ram_;
  ApicInterconnect interconnect_;
  Scheduler scheduler_;
  std::unique_ptr<Board> board_;
  std::unique_ptr<Backend> backend_;
  std::vector<std::unique_ptr<Vcpu>> vcpus_;
  LoadedImage image_;
  unsigned resets_ = 0;
};

}  // namespace softvt
