#include "kvm/guest_walk.h"

#include <array>

#include "cpu/bits.h"
#include "cpu/fault.h"
#include "kvm/vm.h"

namespace softvt::kvm {
namespace {

constexpr u64 kPresent = 1, kWritable = 2, kUser = 4, kAccessed = 1 << 5, kDirty = 1 << 6,
              kPageSizeBit = 1 << 7, kNoExecute = u64{1} << 63;
constexpr u64 kAddress = 0x000ffffffffff000;

// The shape of the tables in one paging mode.
struct Shape {
  unsigned levels;
  unsigned index_bits;  // of each level
  unsigned entry_bytes;
  bool top_has_no_rights;  // PAE: the PDPTEs
};

Shape shape_of(const GuestPaging& p) {
  if ((p.efer & efer::LMA) != 0) return {(p.cr4 & cr4::LA57) != 0 ? 5u : 4u, 9, 8, false};
  if ((p.cr4 & cr4::PAE) != 0) return {3, 9, 8, true};
  return {2, 10, 4, false};
}

struct Rights {
  bool user = true, writable = true, execute = true;
};

bool allowed(const GuestPaging& p, const Rights& r, const GuestAccess& a) {
  if (a.user && !r.user) return false;
  if (a.fetch) return r.execute && (a.user || !r.user || (p.cr4 & cr4::SMEP) == 0);
  if (!a.user && r.user && (p.cr4 & cr4::SMAP) != 0 && (p.rflags & rflags::AC) == 0) return false;
  return !a.write || r.writable || (!a.user && (p.cr0 & cr0::WP) == 0);
}

u32 error_code(const GuestPaging& p, const GuestAccess& a, bool present) {
  const bool tells_fetch =
      (p.cr4 & cr4::SMEP) != 0 || ((p.efer & efer::NXE) != 0 && (p.cr4 & cr4::PAE) != 0);
  return (present ? pf::P : 0) | (a.write ? pf::W : 0) | (a.user ? pf::U : 0) |
         (a.fetch && tells_fetch ? pf::I : 0);
}

class Walk {
 public:
  Walk(Vm& vm, const GuestPaging& paging, const GuestAccess& access)
      : vm_(vm), paging_(paging), access_(access), shape_(shape_of(paging)) {}

  GuestTranslation run(u64 linear) {
    u64 table = shape_.top_has_no_rights  ? paging_.cr3 & 0xffffffe0
                : shape_.entry_bytes == 4 ? paging_.cr3 & 0xfffff000
                                          : paging_.cr3 & kAddress;
    for (unsigned level = shape_.levels; level-- > 0;) {
      const unsigned shift = 12 + level * shape_.index_bits;
      const u64 index = (linear >> shift) & ((u64{1} << shape_.index_bits) - 1);
      const u64 at = table + index * shape_.entry_bytes;
      u64 entry = 0;
      if (!vm_.read_guest(at, &entry, shape_.entry_bytes) || (entry & kPresent) == 0) {
        return {false, 0, error_code(paging_, access_, false)};
      }
      const bool top = shape_.top_has_no_rights && level == 2;
      if (!top) add_rights(entry);
      path_[depth_++] = {at, entry, top};
      if (level == 0 || (!top && level < 3 && large(entry, level))) return finish(linear, shift);
      table = entry & kAddress;
    }
    return {};
  }

 private:
  struct Station {
    u64 at, entry;
    bool fixed;  // has no accessed bit
  };

  bool large(u64 entry, unsigned level) const {
    const bool may = shape_.entry_bytes == 8 || (paging_.cr4 & cr4::PSE) != 0;
    return level > 0 && may && (entry & kPageSizeBit) != 0;
  }

  void add_rights(u64 entry) {
    rights_.user &= (entry & kUser) != 0;
    rights_.writable &= (entry & kWritable) != 0;
    if ((paging_.efer & efer::NXE) != 0 && shape_.entry_bytes == 8) {
      rights_.execute &= (entry & kNoExecute) == 0;
    }
  }

  u64 frame(u64 entry, unsigned shift) const {
    if (shape_.entry_bytes == 8) return entry & kAddress & ~((u64{1} << shift) - 1);
    if (shift == 12) return entry & 0xfffff000;
    // PSE-36: bits 39:32 of the address are in bits 20:13. SDM 3A 4.3, table 4-4.
    return (entry & 0xffc00000) | ((entry >> 13 & 0xff) << 32);
  }

  GuestTranslation finish(u64 linear, unsigned shift) {
    if (!allowed(paging_, rights_, access_)) {
      return {false, 0, error_code(paging_, access_, true)};
    }
    for (unsigned i = 0; i < depth_; ++i) {
      if (path_[i].fixed) continue;
      const bool dirty = access_.write && i + 1 == depth_;
      const u64 marked = path_[i].entry | kAccessed | (dirty ? kDirty : 0);
      if (marked != path_[i].entry) vm_.write_guest(path_[i].at, &marked, shape_.entry_bytes);
    }
    const u64 offset = linear & ((u64{1} << shift) - 1);
    return {true, frame(path_[depth_ - 1].entry, shift) | offset, 0};
  }

  Vm& vm_;
  const GuestPaging& paging_;
  const GuestAccess& access_;
  Shape shape_;
  Rights rights_;
  std::array<Station, 5> path_{};
  unsigned depth_ = 0;
};

}  // namespace

GuestTranslation translate(Vm& vm, const GuestPaging& paging, u64 linear,
                           const GuestAccess& access) {
  if ((paging.cr0 & cr0::PG) == 0) return {true, linear & 0xffffffff, 0};
  return Walk(vm, paging, access).run(linear);
}

}  // namespace softvt::kvm
