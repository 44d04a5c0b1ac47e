// TLB: first level = contexts of direct-mapped entries that handlers compare in one step, second
// level = translations tagged by address space, so that a refill seldom walks.
//
// A context belongs to one combination of everything that decides about a permission: address
// space (VPID/ASID, EPTP/nCR3, PCID), user or supervisor, and the paging-related control bits. A
// world switch or a privilege change only swaps the pointer.
#pragma once
#include <array>
#include <memory>

#include "cpu/cpu.h"
#include "cpu/paging/walk.h"

namespace softvt {

// An address space: the linear mappings that one CR3 (PCID) of one world has.
struct SpaceKey {
  u32 asid = 0;
  u16 pcid = 0;
  bool guest = false;
  u64 second_stage = 0;
  bool operator==(const SpaceKey&) const = default;
};

struct ContextKey {
  SpaceKey space;
  u32 rights = 0;  // user, AC under SMAP, WP, SMEP, SMAP, NXE, paging mode
  u64 pkeys = 0;   // PKRU and PKRS where they apply
  bool operator==(const ContextKey&) const = default;
};

// Remembers, by hash, which 2 MiB and 1 GiB regions were entered from large pages, since one
// INVLPG has to drop all 4 KiB entries that came from one large page. SDM 3A 4.10.4.1.
class LargePageFilter {
 public:
  void add(u64 linear, u64 size_mask) {
    if (size_mask > 0x1fffff)
      set(gib_, linear >> 30);
    else if (size_mask > kPageMask)
      set(mib_, linear >> 21);
  }
  bool may_hold(u64 linear) const { return test(gib_, linear >> 30) || test(mib_, linear >> 21); }
  void clear() { *this = LargePageFilter{}; }

 private:
  using Bits = std::array<u64, 16>;
  static unsigned bit(u64 region) {
    return static_cast<unsigned>((region ^ (region >> 10) ^ (region >> 20)) & 1023);
  }
  static void set(Bits& bits, u64 region) {
    bits[bit(region) / 64] |= u64{1} << (bit(region) % 64);
  }
  static bool test(const Bits& bits, u64 region) {
    return (bits[bit(region) / 64] >> (bit(region) % 64) & 1) != 0;
  }
  Bits mib_{}, gib_{};
};

struct TlbSpace {
  SpaceKey key;
  u32 serial = 0;         // tag of its second-level entries
  u32 global_serial = 0;  // tag of global entries; equal for all PCIDs of one world
  bool used = false;
};

struct TlbContext {
  std::array<TlbEntry, kTlbEntries> entries;
  ContextKey key;
  u64 serial = 0;  // tag of jump-cache entries; changes whenever a translation may be dropped
  u64 last_used = 0;
  LargePageFilter large;
  bool used = false;
  // Which entries were filled since the last clear(), so that a flush of a context that was used
  // briefly does not wipe all 16 KiB.
  std::array<u16, 96> filled;
  u32 filled_count = 0;
  TlbSpace* space = nullptr;  // the one of key.space when it was last active; may be someone else's

  void clear();
  void put(u64 linear, const TlbEntry& entry) {
    const unsigned i = tlb_index(linear);
    if (filled_count < filled.size()) filled[filled_count] = static_cast<u16>(i);
    ++filled_count;
    entries[i] = entry;
  }
};

class TlbPool {
 public:
  TlbPool();
  // The context for the processor's present state; makes it current in `cpu`.
  void activate(Cpu& cpu);

  // Translation for an access with the rights of the present CPL; fills both levels.
  // False: a fault is posted.
  bool translate(Cpu& cpu, u64 linear, const WalkAccess& access, Mapping& out);

  void flush_space(Cpu& cpu, const SpaceKey& space, bool keep_global);
  void flush_page(Cpu& cpu, const SpaceKey& space, u64 linear, bool with_global);
  void flush_asid(Cpu& cpu, u32 asid, bool guest_only);
  void flush_second_stage(Cpu& cpu, u64 second_stage);
  void flush_everything(Cpu& cpu);
  // Drops write permission of a physical page from every entry: it now holds decoded code.
  void revoke_writes(const PhysMemory& mem, u64 pa_page);
  // Drops all entries of the first level (a data breakpoint was set, a page became MMIO).
  void flush_first_level(Cpu& cpu);

  static SpaceKey space_of(const Cpu& cpu);

 private:
  static constexpr unsigned kContexts = 16;
  static constexpr unsigned kSecondLevel = 4096;
  static constexpr unsigned kSpaces = 64;
  using Space = TlbSpace;
  struct Entry {
    u64 va = 1;  // linear page
    u32 serial = 0;
    Mapping mapping;
  };

  Space& space(const SpaceKey& key);
  void retire(Space& space);
  u32 global_serial_of(const SpaceKey& key) const;
  Entry& slot_for(u64 linear) { return second_[(linear >> 12) & (kSecondLevel - 1)]; }
  void renew(TlbContext& context);
  void enter(Cpu& cpu, u64 linear, const Mapping& mapping);

  std::unique_ptr<std::array<TlbContext, kContexts>> contexts_;
  std::unique_ptr<std::array<Entry, kSecondLevel>> second_level_;
  Entry* second_;
  std::array<Space, kSpaces> spaces_;
  TlbContext* current_ = nullptr;
  Space* space_ = nullptr;
  LargePageFilter second_large_;
  u64 clock_ = 0;
  u64 next_serial_ = 1;
  u32 next_space_serial_ = 1;
  unsigned next_victim_ = 0;
};

}  // namespace softvt
