// The physical memory of the machine that the hypervisor owns: its own pages, and above them the
// memory that it lends to the guest.
#pragma once
#include <memory>

#include "cpu/core/code_cache.h"
#include "cpu/phys_memory.h"

namespace softvt::kvm {

// The layer's own pages; guest memory begins at 4 GiB, so that a guest-physical address is never
// its own translation by accident.
constexpr u64 kLayerBase = 0x100000;
constexpr u64 kLayerSize = u64{64} << 20;
constexpr u64 kGuestRamBase = u64{1} << 32;

class HostMemory {
 public:
  HostMemory();
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  PhysMemory& physical() { return memory_; }
  CodeCache& code() { return code_; }

  // A zeroed page of the layer, or 0 if none is left.
  u64 allocate_page() { return allocate_pages(1); }
  u64 allocate_pages(u64 count);

  u64 read64(u64 pa) const;
  void write64(u64 pa, u64 value);

  // Host RAM for a guest of the layer; false if it overlaps.
  bool add_guest_ram(u64 host_phys_addr, u64 size) { return memory_.add_ram(host_phys_addr, size); }
  // Lends the RAM of another machine's memory: `gpa` there is kGuestRamBase + gpa here.
  bool lend(PhysMemory& guest, u64 gpa, u64 size);

 private:
  PhysMemory memory_;
  CodeCache code_;
  u64 next_page_ = kLayerBase;
};

}  // namespace softvt::kvm
