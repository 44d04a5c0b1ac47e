#include "vmx/ept.h"

namespace softvt::vmx {
namespace {

// Bits of EPT paging-structure entries. SDM 3C 29.3.2, tables 29-1 to 29-7.
namespace entry {
constexpr u64 R = 1, W = 2, X = 4, Rwx = 7, Large = 1 << 7, A = 1 << 8, D = 1 << 9, UserX = 1 << 10;
constexpr unsigned kTypeShift = 3;
}  // namespace entry

// Exit qualification. SDM 3C 28.2.1, table 28-7.
namespace qual {
constexpr u64 Read = 1, Write = 2, Fetch = 4, UserExecutable = 1 << 6, LinearValid = 1 << 7,
              Final = 1 << 8;
constexpr unsigned kRightsShift = 3;
}  // namespace qual

constexpr unsigned kLevels = 4;
constexpr u64 kGuestPhysicalLimit = ~u64{0} << 48;

constexpr u64 bits_from_to(unsigned low, unsigned high) {
  return low > high ? 0 : (~u64{0} >> (63 - (high - low))) << low;
}

class EptWalker {
 public:
  EptWalker(PhysMemory& mem, const EptRules& rules, u64 gpa, const GpaAccess& access)
      : mem_(mem), rules_(rules), gpa_(gpa), access_(access) {
    // Accesses to the guest's paging structures count as writes if EPT has accessed and dirty
    // flags. SDM 3C 29.3.3.2 "EPT Violations".
    writes_ = access.write || (access.table_walk && (rules.eptp & eptp::kAccessedDirty));
  }

  EptResult run() {
    if (gpa_ & kGuestPhysicalLimit) return violation(0);
    u64 rights = entry::Rwx | entry::UserX;
    u64 table = rules_.eptp & frame_bits();
    for (unsigned level = kLevels;; --level) {
      const unsigned shift = 12 + 9 * (level - 1);
      const u64 address = table | ((gpa_ >> shift & 0x1ff) << 3);
      u64 value = ~u64{0};
      if (!mem_.read_value(address, value)) value = ~u64{0};
      if (!present(value)) return violation(0);
      const bool leaf = level == 1 || (level <= 3 && (value & entry::Large));
      if (misconfigured(value, level, leaf)) return {EptResult::Kind::Misconfiguration, {}, 0};
      rights &= value;
      used_[count_++] = {address, value};
      if (leaf) return finish(value, rights, (u64{1} << shift) - 1);
      table = value & frame_bits();
    }
  }

 private:
  struct Used {
    u64 address, value;
  };

  u64 frame_bits() const { return bits_from_to(12, rules_.phys_bits - 1); }

  bool present(u64 value) const {
    return value & (rules_.mode_based_execute ? entry::Rwx | entry::UserX : entry::Rwx);
  }

  // SDM 3C 29.3.3.1 "EPT Misconfigurations".
  bool misconfigured(u64 value, unsigned level, bool leaf) const {
    if ((value & (entry::R | entry::W)) == entry::W) return true;
    if ((value & entry::R) == 0 && !rules_.execute_only) return true;
    if (value & bits_from_to(rules_.phys_bits, 51)) return true;
    if (!leaf) return (value & bits_from_to(3, level == 4 ? 7 : 6)) != 0;
    if (level == 3 && !rules_.page_1g) return true;
    if (value & bits_from_to(12, 12 + 9 * (level - 1) - 1)) return true;
    const u64 type = value >> entry::kTypeShift & 7;
    return type == 2 || type == 3 || type == 7;
  }

  bool executable(u64 rights) const {
    const bool user_bit = rules_.mode_based_execute && access_.user;
    return rights & (user_bit ? entry::UserX : entry::X);
  }

  EptResult finish(u64 leaf, u64 rights, u64 page_mask) {
    if (access_.read && !(rights & entry::R)) return violation(rights);
    if (writes_ && !(rights & entry::W)) return violation(rights);
    if (access_.fetch && !executable(rights)) return violation(rights);
    const bool flags = rules_.eptp & eptp::kAccessedDirty;
    if (flags) set_flags();
    EptResult result;
    SecondStage& s = result.stage;
    s.page_mask = page_mask;
    s.host_pa = ((leaf & frame_bits()) & ~page_mask) | (gpa_ & page_mask & ~kPageMask);
    s.readable = rights & entry::R;
    // Without D in the leaf the first write has to come back here.
    s.writable = (rights & entry::W) && (!flags || writes_ || (leaf & entry::D));
    s.super_exec = rights & entry::X;
    s.user_exec = rights & (rules_.mode_based_execute ? entry::UserX : entry::X);
    return result;
  }

  // SDM 3C 29.3.5 "Accessed and Dirty Flags for EPT".
  void set_flags() {
    for (unsigned i = 0; i < count_; ++i) {
      const bool leaf = i + 1 == count_;
      const u64 wanted = used_[i].value | entry::A | (leaf && writes_ ? entry::D : 0);
      if (wanted != used_[i].value) mem_.write(used_[i].address, &wanted, 8);
    }
  }

  EptResult violation(u64 rights) const {
    EptResult result;
    result.kind = EptResult::Kind::Violation;
    u64 q = (access_.read ? qual::Read : 0) | (writes_ ? qual::Write : 0) |
            (access_.fetch ? qual::Fetch : 0);
    q |= (rights & entry::Rwx) << qual::kRightsShift;
    if (rules_.mode_based_execute && (rights & entry::UserX)) q |= qual::UserExecutable;
    if (access_.linear_valid) {
      q |= qual::LinearValid;
      if (!access_.table_walk) q |= qual::Final;
    }
    result.qualification = q;
    return result;
  }

  PhysMemory& mem_;
  const EptRules& rules_;
  const u64 gpa_;
  const GpaAccess& access_;
  bool writes_;
  unsigned count_ = 0;
  Used used_[kLevels];
};

}  // namespace

EptResult ept_walk(PhysMemory& mem, const EptRules& rules, u64 gpa, const GpaAccess& access) {
  return EptWalker(mem, rules, gpa, access).run();
}

}  // namespace softvt::vmx
