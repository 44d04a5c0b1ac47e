#include "kvm/vm.h"

#include <algorithm>
#include <cstdio>

#include "kvm/vcpu.h"

namespace softvt::kvm {
namespace {

constexpr u64 kLargePage = u64{2} << 20;

std::string hex(u64 value) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

Vm::Vm(HostMemory& host, const VmOptions& options)
    : host_(host),
      options_(options),
      tables_(host, options.vendor == Vendor::Vmx ? TableFormat::Ept : TableFormat::Npt) {
  hypercalls_.add_kvm_rows();
}

bool Vm::add_slot(const MemorySlot& slot, std::string& error) {
  const u64 all = slot.guest_phys_addr | slot.size | slot.host_phys_addr;
  if (slot.size == 0 || (all & kPageMask) != 0 ||
      slot.guest_phys_addr + slot.size < slot.guest_phys_addr) {
    error = "memory slot at " + hex(slot.guest_phys_addr) + ": not whole pages";
    return false;
  }
  for (const MemorySlot& other : slots_) {
    if (slot.guest_phys_addr < other.guest_phys_addr + other.size &&
        other.guest_phys_addr < slot.guest_phys_addr + slot.size) {
      error = "memory slot at " + hex(slot.guest_phys_addr) + " overlaps the one at " +
              hex(other.guest_phys_addr);
      return false;
    }
  }
  slots_.push_back(slot);
  return true;
}

const MemorySlot* Vm::find_slot(u64 gpa) const {
  for (const MemorySlot& slot : slots_) {
    if (gpa - slot.guest_phys_addr < slot.size) return &slot;
  }
  return nullptr;
}

u64 Vm::host_page(u64 gpa, const MemorySlot*& slot) const {
  slot = find_slot(gpa);
  if (slot == nullptr) return 0;
  const u64 hpa = slot->host_phys_addr + ((gpa - slot->guest_phys_addr) & ~kPageMask);
  return host_.physical().page(hpa) != nullptr ? hpa : 0;
}

bool Vm::read_guest(u64 gpa, void* out, u64 size) const {
  auto* to = static_cast<u8*>(out);
  while (size != 0) {
    const u64 part = std::min(size, kPageSize - (gpa & kPageMask));
    const MemorySlot* slot;
    const u64 page = host_page(gpa, slot);
    if (page == 0 || !host_.physical().read(page + (gpa & kPageMask), to, part)) return false;
    to += part;
    gpa += part;
    size -= part;
  }
  return true;
}

bool Vm::write_guest(u64 gpa, const void* in, u64 size) {
  const auto* from = static_cast<const u8*>(in);
  while (size != 0) {
    const u64 part = std::min(size, kPageSize - (gpa & kPageMask));
    const MemorySlot* slot;
    const u64 page = host_page(gpa, slot);
    if (page == 0 || slot->read_only) return false;
    const u8* flags = host_.physical().flags(page);
    if (flags != nullptr && (*flags & page_flag::kReadOnly) != 0) return false;
    if (!host_.physical().write(page + (gpa & kPageMask), from, part)) return false;
    from += part;
    gpa += part;
    size -= part;
  }
  return true;
}

// All 2 MiB around `gpa` are RAM of one kind.
bool Vm::fits_large(u64 gpa, const MemorySlot& slot) const {
  const u64 start = gpa & ~(kLargePage - 1);
  if (start < slot.guest_phys_addr) return false;
  const u64 offset = start - slot.guest_phys_addr;
  if (slot.size - offset < kLargePage || offset > slot.size) return false;
  const u64 hpa = slot.host_phys_addr + offset;
  if ((hpa & (kLargePage - 1)) != 0 || tables_.has_table(gpa)) return false;
  constexpr u8 kOdd = page_flag::kMmio | page_flag::kReadOnly;
  for (u64 at = 0; at < kLargePage; at += kPageSize) {
    const u8* flags = host_.physical().flags(hpa + at);
    if (flags == nullptr || (*flags & kOdd) != 0) return false;
  }
  return true;
}

Vm::MapResult Vm::map(u64 gpa, bool write) {
  const MemorySlot* slot;
  const u64 hpa = host_page(gpa, slot);
  if (hpa == 0) return MapResult::NotRam;
  const u8* flags = host_.physical().flags(hpa);
  const bool writable =
      !slot->read_only && (flags == nullptr || (*flags & page_flag::kReadOnly) == 0);
  if (write && !writable) return MapResult::NotRam;
  using PageSize = SecondStageTables::PageSize;
  if (writable && fits_large(gpa, *slot)) {
    const u64 mask = kLargePage - 1;
    const bool done = tables_.map(gpa & ~mask, hpa & ~mask, PageSize::Large, true);
    return done ? MapResult::Mapped : MapResult::NoMemory;
  }
  const bool done = tables_.map(gpa & ~kPageMask, hpa, PageSize::Small, writable);
  return done ? MapResult::Mapped : MapResult::NoMemory;
}

Vcpu* Vm::vcpu_by_apic_id(u32 id) const {
  for (Vcpu* vcpu : vcpus_) {
    if (vcpu->apic_id() == id) return vcpu;
  }
  return nullptr;
}

}  // namespace softvt::kvm
