#include "cpu/phys_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace softvt {
namespace {

// Pages are taken from the host only when touched. Null on failure.
u8* reserve(u64 size) {
  void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
  return p == MAP_FAILED ? nullptr : static_cast<u8*>(p);
}

constexpr bool overlaps(u64 a, u64 a_size, u64 b, u64 b_size) {
  return a < b + b_size && b < a + a_size;
}

}  // namespace

PhysMemory::PhysMemory() = default;

PhysMemory::~PhysMemory() {
  for (const Ram& ram : ram_) {
    if (!ram.owned) continue;
    munmap(ram.host, ram.size);
    munmap(ram.flags, ram.size / kPageSize);
  }
}

bool PhysMemory::add_ram(u64 base, u64 size, bool read_only) {
  if (size == 0 || ((base | size) & kPageMask) != 0 || base + size < base) return false;
  for (const Ram& ram : ram_) {
    if (overlaps(base, size, ram.base, ram.size)) return false;
  }
  u8* host = reserve(size);
  if (host == nullptr) return false;
  u8* flags = reserve(size / kPageSize);
  if (flags == nullptr) {
    munmap(host, size);
    return false;
  }
  if (read_only) std::memset(flags, page_flag::kReadOnly, size / kPageSize);
  ram_.push_back({base, size, host, flags});
  for (const Mmio& m : mmio_) {
    for (u64 pa = m.base; pa < m.base + m.size; pa += kPageSize) {
      if (pa >= base && pa < base + size) flags[(pa - base) / kPageSize] |= page_flag::kMmio;
    }
  }
  return true;
}

bool PhysMemory::add_alias(u64 base, const PhysMemory& of, u64 of_base, u64 size) {
  if (size == 0 || ((base | of_base | size) & kPageMask) != 0 || base + size < base) return false;
  for (const Ram& ram : ram_) {
    if (overlaps(base, size, ram.base, ram.size)) return false;
  }
  const Ram* ram = of.find_ram(of_base);
  if (ram == nullptr || size > ram->size - (of_base - ram->base)) return false;
  const u64 offset = of_base - ram->base;
  ram_.push_back({base, size, ram->host + offset, ram->flags + offset / kPageSize, false});
  return true;
}

std::vector<PhysMemory::Range> PhysMemory::ram_ranges() const {
  std::vector<Range> ranges;
  for (const Ram& ram : ram_) ranges.push_back({ram.base, ram.size});
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.base < b.base; });
  return ranges;
}

void PhysMemory::add_mmio(u64 base, u64 size, MmioHandler* handler) {
  mmio_.push_back({base, size, handler});
  for (const Ram& ram : ram_) {
    const u64 from = std::max(base, ram.base);
    const u64 to = std::min(base + size, ram.base + ram.size);
    for (u64 pa = from; pa < to; pa += kPageSize) {
      ram.flags[(pa - ram.base) / kPageSize] |= page_flag::kMmio;
    }
  }
}

const PhysMemory::Ram* PhysMemory::find_ram(u64 pa) const {
  for (const Ram& ram : ram_) {
    if (pa - ram.base < ram.size) return &ram;
  }
  return nullptr;
}

const PhysMemory::Mmio* PhysMemory::find_mmio(u64 pa) const {
  for (const Mmio& m : mmio_) {
    if (pa - m.base < m.size) return &m;
  }
  return nullptr;
}

u8* PhysMemory::page(u64 pa) const {
  const Ram* ram = find_ram(pa);
  if (ram == nullptr) return nullptr;
  const u64 offset = (pa - ram->base) & ~kPageMask;
  if ((ram->flags[offset / kPageSize] & page_flag::kMmio) != 0) return nullptr;
  return ram->host + offset;
}

u8* PhysMemory::flags(u64 pa) const {
  const Ram* ram = find_ram(pa);
  return ram == nullptr ? nullptr : ram->flags + (pa - ram->base) / kPageSize;
}

bool PhysMemory::read(u64 pa, void* out, u64 size) const {
  auto* to = static_cast<u8*>(out);
  while (size != 0) {
    const u64 offset = pa & kPageMask;
    const u64 part = std::min(size, kPageSize - offset);
    const u8* from = page(pa);
    if (from == nullptr) return false;
    std::memcpy(to, from + offset, part);
    to += part;
    pa += part;
    size -= part;
  }
  return true;
}

bool PhysMemory::write(u64 pa, const void* in, u64 size) {
  const auto* from = static_cast<const u8*>(in);
  while (size != 0) {
    const u64 offset = pa & kPageMask;
    const u64 part = std::min(size, kPageSize - offset);
    u8* to = page(pa);
    if (to == nullptr) return false;
    std::memcpy(to + offset, from, part);
    if ((*flags(pa) & page_flag::kCode) != 0 && on_code_write) {
      on_code_write(pa, static_cast<unsigned>(part));
    }
    from += part;
    pa += part;
    size -= part;
  }
  return true;
}

u64 PhysMemory::read_any(u64 pa, unsigned size) {
  u64 value = 0;
  if (read(pa, &value, size)) return value;
  const Mmio* m = find_mmio(pa);
  const u64 mask = size >= 8 ? ~u64{0} : (u64{1} << (size * 8)) - 1;
  return (m != nullptr ? m->handler->mmio_read(pa, size) : ~u64{0}) & mask;
}

void PhysMemory::write_any(u64 pa, u64 value, unsigned size) {
  const u8* f = flags(pa);
  if (f != nullptr && (*f & (page_flag::kMmio | page_flag::kReadOnly)) == page_flag::kReadOnly)
    return;
  if (write(pa, &value, size)) return;
  if (const Mmio* m = find_mmio(pa)) m->handler->mmio_write(pa, value, size);
}

}  // namespace softvt
