// A processor with memory and nothing else: 64-bit mode, memory mapped one to one, the loops of
// guests/bench/loops.S in it. What the benchmarks measure runs here, in this process.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "cpu/apic/apic_bus.h"
#include "cpu/phys_memory.h"
#include "cpu/timeline.h"
#include "guests/bench/loops.h"
#include "loader/boot_state.h"
#include "machine/backend.h"

namespace softvt::bench {

// Where things are in guest-physical memory.
namespace at {
constexpr u64 kGdt = 0x1000, kIdt = 0x2000, kTss = 0x3000, kHalt = 0x4000;
constexpr u64 kPml4 = 0x10000, kPdpt = 0x11000, kDirectory = 0x12000;
constexpr u64 kControlStructure = 0x20000, kVmxonRegion = 0x21000, kHostSave = 0x22000;
constexpr u64 kStackTop = 0x80000, kGuestStackTop = 0x90000;
constexpr u64 kLoops = 0x100000;
constexpr u64 kBuffer = 0x200000;        // kLoopBufferSize
constexpr u64 kWindowTables = 0x400000;  // paging structures of the window below
constexpr u64 kSecondStage = 0x500000;   // EPT or nested paging structures
constexpr u64 kScratch = 0x800000;       // code that a benchmark makes
constexpr u64 kWindowMemory = 0x4000000;
constexpr u64 kRam = 0x8000000;
constexpr u64 kWindow = 0x8000000000;       // linear: 64 MiB by 4 KiB pages
constexpr u64 kNotPresent = 0x10000000000;  // linear: not mapped
}  // namespace at

class Harness {
 public:
  // Aborts the program if it cannot be built.
  explicit Harness(std::string_view model = "max-intel", Accel accel = Accel::Bare);

  // Whether this build has the accelerator.
  static bool available(Accel accel);

  // Calls a function of loops.S, or code at an address, as a C function; returns its RAX.
  u64 call(const void* function, u64 a = 0, u64 b = 0, u64 c = 0);
  u64 call_at(u64 rip, u64 a = 0, u64 b = 0, u64 c = 0);

  // Address in the guest of something in loops.S.
  static u64 address_of(const void* symbol);

  u64 instructions() const { return vcpu_->instructions(); }
  PhysMemory& memory() { return memory_; }
  // The state from which call() starts; extensions of it (CR4.VMXE, EFER.SVME) are for the caller.
  BootState& state() { return state_; }
  Vcpu& vcpu() { return *vcpu_; }
  Cpu& cpu();  // Accel::Bare only

  void put(u64 address, const void* data, u64 size);
  void put64(u64 address, u64 value) { put(address, &value, sizeof value); }
  void clear_buffer();
  // Maps at::kWindow by 4 KiB pages.
  void map_window();

 private:
  class QuietBus : public Bus {
   public:
    u32 port_in(u16, unsigned) override { return ~u32{0}; }
    void port_out(u16, u32, unsigned) override {}
    bool extint_pending() override { return false; }
    u8 extint_acknowledge() override { return 0xff; }
  };

  void make_tables();
  void make_gates();

  PhysMemory memory_;
  Timeline timeline_;
  QuietBus bus_;
  ApicInterconnect interconnect_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Vcpu> vcpu_;
  Accel accel_;
  BootState state_;
};

// One paging structure entry after the other: `levels` of tables at `tables` map [0, size) of
// 4 KiB pages one to one. `branch` and `leaf` are the low bits of entries. Serves EPT and nested
// paging. Returns the address behind the last table.
u64 map_one_to_one(PhysMemory& memory, u64 tables, u64 size, u64 branch, u64 leaf);

}  // namespace softvt::bench
