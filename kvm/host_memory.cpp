#include "kvm/host_memory.h"

namespace softvt::kvm {

HostMemory::HostMemory() : code_(memory_) { memory_.add_ram(kLayerBase, kLayerSize); }

u64 HostMemory::allocate_pages(u64 count) {
  const u64 left = (kLayerBase + kLayerSize - next_page_) / kPageSize;
  if (count > left) return 0;
  const u64 pa = next_page_;
  next_page_ += count * kPageSize;
  return pa;
}

u64 HostMemory::read64(u64 pa) const {
  u64 value = 0;
  memory_.read(pa, &value, sizeof value);
  return value;
}

void HostMemory::write64(u64 pa, u64 value) { memory_.write(pa, &value, sizeof value); }

bool HostMemory::lend(PhysMemory& guest, u64 gpa, u64 size) {
  if (!memory_.add_alias(kGuestRamBase + gpa, guest, gpa, size)) return false;
  // Decoded code is known by host-physical address, whoever writes over it.
  guest.on_code_write = [this](u64 pa, unsigned bytes) {
    if (memory_.on_code_write) memory_.on_code_write(kGuestRamBase + pa, bytes);
  };
  return true;
}

}  // namespace softvt::kvm
