#include "svm/npt.h"

#include "cpu/phys_memory.h"

namespace softvt::svm {
namespace {

// APM 2 5.3, figures 5-17 to 5-28; the nested tables have the format of ordinary ones.
namespace pte {
constexpr u64 P = 1 << 0, RW = 1 << 1, US = 1 << 2, A = 1 << 5, D = 1 << 6, PS = 1 << 7, G = 1 << 8,
              NX = u64{1} << 63;
}

constexpr u64 bits_from_to(unsigned low, unsigned high) {  // both included; empty if low > high
  return low > high ? 0 : (~u64{0} >> (63 - (high - low))) << low;
}

class NestedWalker {
 public:
  NestedWalker(Cpu& cpu, const NestedPaging& paging, u64 gpa, const GpaAccess& access)
      : cpu_(cpu),
        paging_(paging),
        gpa_(gpa),
        // The walk of guest tables is always a write. APM 2 15.25.5.
        write_(access.write || access.table_walk),
        fetch_(access.fetch && !access.table_walk) {}

  bool walk(SecondStage& out, u64& error) {
    const bool mapped = paging_.format == NestedFormat::Bits32 ? walk_32(out) : walk_64(out);
    if (mapped && permitted()) {
      set_accessed_dirty();
      // A page whose D bit is clear must be walked again for its first write.
      out.writable = writable_ && (leaf_value_ & pte::D);
      out.readable = true;
      out.user_exec = out.super_exec = executable_;
      return true;
    }
    error = error_code();
    return false;
  }

 private:
  struct Entry {
    u64 pa;
    u64 value;
  };

  // Every nested access is a user access. APM 2 15.25.6.
  u64 error_code() const {
    return present_ | pf::U | (write_ ? pf::W : 0) | reserved_ |
           (fetch_ && paging_.report_fetch ? pf::I : 0);
  }

  bool permitted() const { return user_ && (!write_ || writable_) && (!fetch_ || executable_); }

  bool fail_reserved() {
    reserved_ = pf::RSVD;
    return false;
  }

  // False: not present.
  bool read(u64 pa, unsigned size, u64& value) {
    value = 0;
    u32 half = 0;
    if (size == 8) {
      if (!cpu_.mem->read_value(pa, value)) value = ~u64{0};
    } else {
      value = cpu_.mem->read_value(pa, half) ? half : size_mask(4);
    }
    if ((value & pte::P) == 0) {
      present_ = 0;
      return false;
    }
    present_ = pf::P;
    entries_[count_++] = {pa, value};
    writable_ = writable_ && (value & pte::RW);
    user_ = user_ && (value & pte::US);
    return true;
  }

  void leaf(SecondStage& out, u64 frame, u64 mask) {
    out.page_mask = mask;
    out.host_pa = (frame & ~mask) | (gpa_ & mask & ~kPageMask);
  }

  bool walk_32(SecondStage& out) {
    size_ = 4;
    if (gpa_ >> 32) return false;
    u64 entry;
    if (!read((paging_.root & 0xfffff000) | (gpa_ >> 22) << 2, 4, entry)) return false;
    if ((entry & pte::PS) && paging_.page_size) {
      if (entry & bits_from_to(21, 21)) return fail_reserved();
      leaf(out, ((entry >> 13) & 0xff) << 32 | (entry & 0xffc00000), 0x3fffff);
      return true;
    }
    if (!read((entry & 0xfffff000) | ((gpa_ >> 12) & 0x3ff) << 2, 4, entry)) return false;
    leaf(out, entry & 0xfffff000, kPageMask);
    return true;
  }

  u64 reserved_bits(unsigned level, bool is_leaf) const {
    u64 reserved = bits_from_to(cpu_.phys_bits, 51);
    if (paging_.format == NestedFormat::Pae) reserved |= bits_from_to(52, 62);
    if (!paging_.no_execute) reserved |= pte::NX;
    if (level >= 4) reserved |= pte::PS | pte::G;
    if (level == 3 && !cpu_.has(Feature::Page1Gb)) reserved |= pte::PS;
    if (is_leaf && level > 1) reserved |= bits_from_to(13, 12 + 9 * (level - 1) - 1);
    return reserved;
  }

  // PDPTEs have no rights of their own, and are read by each walk. APM 2 15.25.10.
  bool pae_directory(u64& table) {
    if (gpa_ >> 32) return false;
    u64 entry = 0;
    if (!cpu_.mem->read((paging_.root & 0xffffffe0) | (gpa_ >> 30) << 3, &entry, 8))
      entry = ~u64{0};
    if ((entry & pte::P) == 0) return false;
    present_ = pf::P;
    if (entry & (bits_from_to(1, 2) | bits_from_to(5, 8) | bits_from_to(cpu_.phys_bits, 63)))
      return fail_reserved();
    table = entry & bits_from_to(12, cpu_.phys_bits - 1u);
    return true;
  }

  bool walk_64(SecondStage& out) {
    const u64 address_mask = bits_from_to(12, cpu_.phys_bits - 1u);
    u64 table = paging_.root & address_mask;
    unsigned level = paging_.format == NestedFormat::FiveLevel ? 5 : 4;
    if (paging_.format == NestedFormat::Pae) {
      if (!pae_directory(table)) return false;
      level = 2;
    } else if (gpa_ >> (12 + 9 * level)) {
      return false;
    }
    for (;; --level) {
      const unsigned shift = 12 + 9 * (level - 1);
      u64 entry;
      if (!read(table | ((gpa_ >> shift) & 0x1ff) << 3, 8, entry)) return false;
      const bool is_leaf = level == 1 || (level <= 3 && (entry & pte::PS));
      if (entry & reserved_bits(level, is_leaf)) return fail_reserved();
      if (entry & pte::NX) executable_ = false;
      if (is_leaf) {
        leaf(out, entry & address_mask, (u64{1} << shift) - 1);
        return true;
      }
      table = entry & address_mask;
    }
  }

  void set_accessed_dirty() {
    for (unsigned i = 0; i < count_; ++i) {
      const bool is_leaf = i + 1 == count_;
      const u64 wanted = entries_[i].value | pte::A | (is_leaf && write_ ? pte::D : 0);
      if (is_leaf) leaf_value_ = wanted;
      if (wanted != entries_[i].value) cpu_.mem->write(entries_[i].pa, &wanted, size_);
    }
  }

  Cpu& cpu_;
  const NestedPaging& paging_;
  const u64 gpa_;
  const bool write_;
  const bool fetch_;
  bool writable_ = true, user_ = true, executable_ = true;
  u64 present_ = 0, reserved_ = 0;
  u64 leaf_value_ = 0;
  unsigned size_ = 8;
  unsigned count_ = 0;
  Entry entries_[5];
};

}  // namespace

NestedPaging nested_paging_of(const Cpu& cpu, u64 ncr3) {
  NestedPaging paging;
  paging.enabled = true;
  paging.root = ncr3;
  paging.no_execute = (cpu.efer & efer::NXE) != 0;
  // APM 2 8.4.2, table 8-6: bit 4 of the error code is there with NX or with SMEP.
  paging.report_fetch = paging.no_execute || (cpu.cr4 & cr4::SMEP) != 0;
  paging.page_size = (cpu.cr4 & cr4::PSE) != 0;
  if (cpu.long_mode())
    paging.format = (cpu.cr4 & cr4::LA57) ? NestedFormat::FiveLevel : NestedFormat::FourLevel;
  else
    paging.format = (cpu.cr4 & cr4::PAE) ? NestedFormat::Pae : NestedFormat::Bits32;
  return paging;
}

bool nested_walk(Cpu& cpu, const NestedPaging& paging, u64 gpa, const GpaAccess& access,
                 SecondStage& out, u64& info1) {
  NestedWalker walker(cpu, paging, gpa, access);
  u64 error = 0;
  if (walker.walk(out, error)) return true;
  info1 = error | (access.table_walk ? npf::TableWalk : npf::Final);
  return false;
}

}  // namespace softvt::svm
