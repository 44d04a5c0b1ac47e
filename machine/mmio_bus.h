// Devices in the physical address space: turns addresses into offsets and splits what crosses an
// 8-byte boundary or the end of a window.
#pragma once
#include <memory>
#include <vector>

#include "cpu/phys_memory.h"
#include "devices/device.h"

namespace softvt {

class MmioBus {
 public:
  explicit MmioBus(PhysMemory& memory) : memory_(memory) {}
  MmioBus(const MmioBus&) = delete;
  MmioBus& operator=(const MmioBus&) = delete;

  // `base` is page aligned; a last page that is not filled reads as ones. The device must outlive
  // the bus.
  void map(u64 base, u64 size, MmioDevice& device);

 private:
  class Window : public MmioHandler {
   public:
    Window(u64 base, u64 size, MmioDevice& device) : base_(base), size_(size), device_(device) {}
    u64 mmio_read(u64 pa, unsigned size) override;
    void mmio_write(u64 pa, u64 value, unsigned size) override;

   private:
    bool whole(u64 offset, unsigned size) const;

    u64 base_, size_;
    MmioDevice& device_;
  };

  PhysMemory& memory_;
  std::vector<std::unique_ptr<Window>> windows_;
};

}  // namespace softvt
