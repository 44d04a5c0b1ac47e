// The tables that translate guest-physical to host-physical addresses: EPT or NPT, one code, since
// they differ only in the bits of an entry. Filled on faults, 2 MiB at a time where that fits.
// SDM 3C 29.3.2 "EPT Translation Mechanism", APM 2 15.25.
#pragma once
#include "kvm/host_memory.h"

namespace softvt::kvm {

enum class TableFormat : u8 { Ept, Npt };

class SecondStageTables {
 public:
  SecondStageTables(HostMemory& memory, TableFormat format)
      : memory_(memory), format_(format), root_(memory.allocate_page()) {}

  u64 root() const { return root_; }  // 0: no page was left

  enum class PageSize : u8 { Small, Large };  // 4 KiB, 2 MiB
  // False if no page is left for the tables.
  bool map(u64 gpa, u64 hpa, PageSize size, bool writable);
  // Whether something is mapped in the 2 MiB around `gpa`.
  bool has_table(u64 gpa) const;

 private:
  static constexpr unsigned kLevels = 4;
  u64 entry_address(u64 table, unsigned level, u64 gpa) const {
    return table + ((gpa >> (12 + 9 * level)) & 0x1ff) * 8;
  }
  u64 leaf(u64 hpa, bool large, bool writable) const;
  u64 link(u64 table) const;

  HostMemory& memory_;
  TableFormat format_;
  u64 root_;
};

}  // namespace softvt::kvm
