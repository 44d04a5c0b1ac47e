// The firmware configuration device: numbered items that firmware and guests read through a
// selector and a data port or by DMA (QEMU's documented fw_cfg interface, docs/specs/fw_cfg).
// All items are read-only; an item that does not exist reads as zeros.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "devices/device.h"

namespace softvt {

// The guest's physical memory, as far as a device that does DMA needs it. Both answer false if any
// byte of the range is not memory.
struct GuestMemoryAccess {
  std::function<bool(u64 address, void* to, u64 size)> read;
  std::function<bool(u64 address, const void* from, u64 size)> write;
};

enum class E820Type : u32 { kRam = 1, kReserved = 2, kAcpiReclaimable = 3, kAcpiNvs = 4 };

struct E820Entry {
  u64 address;
  u64 size;
  E820Type type;
};

struct FwCfgConfig {
  u64 ram_size = 0;
  u16 vcpus = 1;
  u16 max_vcpus = 1;
  std::vector<E820Entry> e820;  // becomes the file etc/e820
};

class FwCfg : public PortDevice {
 public:
  FwCfg(const FwCfgConfig& config, GuestMemoryAccess memory);

  std::string_view name() const override { return "fw_cfg"; }
  u32 port_read(u16 port, unsigned size) override;
  void port_write(u16 port, u32 value, unsigned size) override;

  // Adds a named file to the directory. False if the name is empty, too long or taken, or the
  // directory is full.
  bool add_file(std::string_view name, std::vector<u8> contents);
  void reset();

 private:
  struct File {
    std::string name;
    u16 key;
    u32 size;
  };

  void select(u16 key);
  u8 next_byte();
  void rebuild_directory();
  void write_dma_address(u16 port, u32 value, unsigned size);
  void run_dma();
  bool dma_read(u64 address, u32 length);

  GuestMemoryAccess memory_;
  std::map<u16, std::vector<u8>> items_;
  std::vector<File> files_;
  u16 key_ = 0;
  u64 offset_ = 0;
  u64 dma_address_ = 0;
};

}  // namespace softvt
