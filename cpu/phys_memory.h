// Physical memory of the machine: RAM, and ranges that devices answer. One flag byte a page tells
// the TLB what a page may be entered for.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "cpu/types.h"

namespace softvt {

class MmioHandler {
 public:
  virtual ~MmioHandler() = default;
  virtual u64 mmio_read(u64 pa, unsigned size) = 0;  // 1, 2, 4, 8
  virtual void mmio_write(u64 pa, u64 value, unsigned size) = 0;
};

namespace page_flag {
constexpr u8 kCode = 1;         // decoded blocks exist: writes take the slow path
constexpr u8 kWriteMapped = 2;  // some TLB context has a write tag for it
constexpr u8 kMmio = 4;         // not RAM here although inside a RAM range (APIC page)
constexpr u8 kReadOnly = 8;     // ROM: writes are dropped
}  // namespace page_flag

class PhysMemory {
 public:
  PhysMemory();
  ~PhysMemory();
  PhysMemory(const PhysMemory&) = delete;
  PhysMemory& operator=(const PhysMemory&) = delete;

  // Anonymous zeroed RAM; page aligned; false if it overlaps or cannot be had.
  bool add_ram(u64 base, u64 size, bool read_only = false);
  // RAM of another memory at a second address here, flag bytes included: guest memory that a
  // hypervisor lends. `of` must live longer. False if it overlaps or is not one piece of RAM there.
  bool add_alias(u64 base, const PhysMemory& of, u64 of_base, u64 size);
  struct Range {
    u64 base, size;
  };
  std::vector<Range> ram_ranges() const;  // in order of address
  // MMIO wins over RAM. Page granular.
  void add_mmio(u64 base, u64 size, MmioHandler* handler);

  // Host address of a RAM page, or null.
  u8* page(u64 pa) const;
  u8* flags(u64 pa) const;  // flag byte of the RAM page, or null
  bool is_ram(u64 pa) const { return page(pa) != nullptr; }

  // Plain copies for loaders, DMA and hypervisor software. RAM only; false if any byte is not RAM.
  // Writes tell the code cache (on_code_write).
  bool read(u64 pa, void* out, u64 size) const;
  bool write(u64 pa, const void* in, u64 size);
  // One naturally aligned value of RAM; false if it is not RAM. For page walks.
  template <class T>
  bool read_value(u64 pa, T& out) const {
    const u8* host = page(pa);
    if (host == nullptr) return false;
    __builtin_memcpy(&out, host + (pa & (kPageSize - sizeof(T))), sizeof(T));
    return true;
  }
  // Reads and writes of up to 8 bytes, RAM or MMIO; unclaimed reads give all ones.
  u64 read_any(u64 pa, unsigned size);
  void write_any(u64 pa, u64 value, unsigned size);

  std::function<void(u64 pa, unsigned size)> on_code_write;

 private:
  struct Ram {
    u64 base, size;
    u8* host;
    u8* flags;
    bool owned = true;
  };
  struct Mmio {
    u64 base, size;
    MmioHandler* handler;
  };
  const Ram* find_ram(u64 pa) const;
  const Mmio* find_mmio(u64 pa) const;
  std::vector<Ram> ram_;
  std::vector<Mmio> mmio_;
};

}  // namespace softvt
