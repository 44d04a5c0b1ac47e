#include "kvm/mmu.h"

namespace softvt::kvm {
namespace {

constexpr u64 kAddress = 0x000ffffffffff000;
constexpr u64 kLarge = 1 << 7;

// SDM 3C 29.3.2, table 29-6 "Format of an EPT Page-Table Entry that Maps a 4-KByte Page".
namespace ept {
constexpr u64 Read = 1, Write = 2, Execute = 4, WriteBack = 6 << 3;
}
// APM 2 15.25.5: nested tables have the format of long-mode tables, and every access is a user
// access.
namespace npt {
constexpr u64 Present = 1, Write = 2, User = 4;
}

}  // namespace

u64 SecondStageTables::leaf(u64 hpa, bool large, bool writable) const {
  const u64 size = large ? kLarge : 0;
  if (format_ == TableFormat::Ept) {
    return hpa | ept::Read | ept::Execute | ept::WriteBack | size | (writable ? ept::Write : 0);
  }
  return hpa | npt::Present | npt::User | size | (writable ? npt::Write : 0);
}

u64 SecondStageTables::link(u64 table) const {
  if (format_ == TableFormat::Ept) return table | ept::Read | ept::Write | ept::Execute;
  return table | npt::Present | npt::Write | npt::User;
}

bool SecondStageTables::map(u64 gpa, u64 hpa, PageSize size, bool writable) {
  const bool large = size == PageSize::Large;
  const unsigned last = large ? 1 : 0;
  u64 table = root_;
  for (unsigned level = kLevels - 1; level > last; --level) {
    const u64 at = entry_address(table, level, gpa);
    u64 entry = memory_.read64(at);
    if (entry == 0) {
      const u64 page = memory_.allocate_page();
      if (page == 0) return false;
      entry = link(page);
      memory_.write64(at, entry);
    }
    table = entry & kAddress;
  }
  memory_.write64(entry_address(table, last, gpa), leaf(hpa, large, writable));
  return true;
}

bool SecondStageTables::has_table(u64 gpa) const {
  u64 table = root_;
  for (unsigned level = kLevels - 1; level > 0; --level) {
    const u64 entry = memory_.read64(entry_address(table, level, gpa));
    if (entry == 0) return false;
    table = entry & kAddress;
  }
  return true;
}

}  // namespace softvt::kvm
