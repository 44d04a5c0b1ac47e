#include "cpu/paging/walk.h"

#include "cpu/phys_memory.h"

namespace softvt {
namespace {

// Bits of paging-structure entries. SDM 3A 4.3 to 4.5, tables 4-4 to 4-20.
namespace pte {
constexpr u64 P = 1 << 0, RW = 1 << 1, US = 1 << 2, A = 1 << 5, D = 1 << 6, PS = 1 << 7, G = 1 << 8,
              NX = u64{1} << 63;
constexpr unsigned kKeyShift = 59;
}  // namespace pte

enum class Format : u8 { Off, Bits32, Pae, FourLevel, FiveLevel };

// SDM 3A 4.1.1 "Four Paging Modes".
Format format_of(const Cpu& cpu) {
  if ((cpu.cr0 & cr0::PG) == 0) return Format::Off;
  if (cpu.long_mode()) return (cpu.cr4 & cr4::LA57) ? Format::FiveLevel : Format::FourLevel;
  return (cpu.cr4 & cr4::PAE) ? Format::Pae : Format::Bits32;
}

constexpr u64 bits_from_to(unsigned low, unsigned high) {  // both included; empty if low > high
  return low > high ? 0 : (~u64{0} >> (63 - (high - low))) << low;
}

u64 address_mask(const Cpu& cpu) { return bits_from_to(12, cpu.phys_bits - 1u); }

bool second_stage(const Cpu& cpu) { return cpu.guest_mode && cpu.virt->second_stage_active(cpu); }

// Under nested paging the PDPTEs are not registers but are read by each walk.
// APM 2 15.25.10 "Legacy PAE Mode".
bool pdptes_in_memory(const Cpu& cpu) { return !cpu.intel && second_stage(cpu); }

// SDM 3A 4.4.1, table 4-8 "Format of a PAE Page-Directory-Pointer-Table Entry (PDPTE)".
u64 pdpte_reserved(const Cpu& cpu) {
  return bits_from_to(1, 2) | bits_from_to(5, 8) | bits_from_to(cpu.phys_bits, 63);
}

bool is_fetch_reported(const Cpu& cpu) {
  return (cpu.cr4 & cr4::SMEP) || ((cpu.cr4 & cr4::PAE) && (cpu.efer & efer::NXE));
}

// Protection keys of user-mode pages (PKRU) and supervisor-mode pages (IA32_PKRS) for data
// accesses. SDM 3A 4.6.2 "Protection Keys".
bool key_forbids(const Cpu& cpu, const Mapping& m, const WalkAccess& a) {
  if (a.fetch || !cpu.long_mode()) return false;
  if ((cpu.cr4 & (m.user ? cr4::PKE : cr4::PKS)) == 0) return false;
  const u32 rights = (m.user ? cpu.pkru : cpu.pkrs) >> (2 * m.pkey);
  const bool access_disabled = rights & 1, write_disabled = rights & 2;
  if (access_disabled) return true;
  return write_disabled && a.write && (a.user || (cpu.cr0 & cr0::WP));
}

// SDM 3A 4.6.1 "Determination of Access Rights", protection keys and second stage aside.
bool rights_allow(const Cpu& cpu, const Mapping& m, const WalkAccess& a) {
  if (a.user) {
    if (!m.user) return false;
    if (a.fetch) return m.execute;
    return !a.write || m.writable;
  }
  if (a.fetch) return m.execute && !(m.user && (cpu.cr4 & cr4::SMEP));
  if (m.user && (cpu.cr4 & cr4::SMAP)) {
    const bool lifted = !a.implicit && (cpu.rflags_rest & rflags::AC);
    if (!lifted) return false;
  }
  return !a.write || m.writable || (cpu.cr0 & cr0::WP) == 0;
}

class Walker {
 public:
  enum class Outcome : u8 { Mapped, PageFault, SecondStage };

  Walker(Cpu& cpu, u64 linear, const WalkAccess& access)
      : cpu_(cpu), linear_(linear), access_(access), nested_(second_stage(cpu)) {}

  // Translates and checks; changes nothing.
  Outcome translate(Mapping& m) {
    m = Mapping{};
    Outcome outcome = Outcome::Mapped;
    switch (format_of(cpu_)) {
      case Format::Off:
        unpaged(m);
        break;
      case Format::Bits32:
        outcome = walk_32(m);
        break;
      case Format::Pae:
        outcome = walk_pae(m);
        break;
      case Format::FourLevel:
        outcome = walk_64(m, 4, cpu_.cr3 & address_mask(cpu_));
        break;
      case Format::FiveLevel:
        outcome = walk_64(m, 5, cpu_.cr3 & address_mask(cpu_));
        break;
    }
    return outcome == Outcome::Mapped ? finish(m) : outcome;
  }

  // Sets A in every entry used, and D in the leaf for writes. SDM 3A 4.8 "Accessed and Dirty
  // Flags".
  Outcome set_accessed_dirty(Mapping& m) {
    if (access_.write && count_ != 0) m.dirty = true;
    for (unsigned i = 0; i < count_; ++i) {
      Entry& e = entries_[i];
      const bool leaf = i + 1 == count_;
      const u64 wanted = e.value | pte::A | (leaf && access_.write ? pte::D : 0);
      if (wanted == e.value) continue;
      u64 pa = e.gpa;
      if (!table_address(pa, true)) return Outcome::SecondStage;
      cpu_.mem->write(pa, &wanted, e.size);
    }
    return Outcome::Mapped;
  }

  u32 error_code() const { return error_; }

  // A paging-structure entry at a guest-physical address. False: the second stage refuses.
  bool read_entry(u64 gpa, unsigned size, u64& value) {
    u64 pa = gpa;
    if (!table_address(pa, false)) return false;
    if (size == 8) {
      if (!cpu_.mem->read_value(pa, value)) value = ~u64{0};
      return true;
    }
    u32 half = 0;
    value = cpu_.mem->read_value(pa, half) ? half : size_mask(4);
    return true;
  }

 private:
  struct Entry {
    u64 gpa;
    u64 value;
    unsigned size;
  };

  bool table_address(u64& address, bool write) {
    if (!nested_) return true;
    const GpaAccess access{.read = true,
                           .write = write,
                           .fetch = false,
                           .user = false,
                           .table_walk = true,
                           .linear_valid = true,
                           .linear = linear_};
    SecondStage result;
    if (!cpu_.virt->translate(cpu_, address, access, result)) return false;
    address = (result.host_pa & ~kPageMask) | (address & kPageMask);
    return true;
  }

  void unpaged(Mapping& m) {
    m.gpa = linear_ & 0xffffffff & ~kPageMask;
    m.user = m.writable = m.dirty = true;
  }

  // Reads the next entry of the walk and notes it; a page fault if it is not present.
  Outcome next(u64 gpa, unsigned size, u64& value) {
    if (!read_entry(gpa, size, value)) return Outcome::SecondStage;
    if ((value & pte::P) == 0) return page_fault(0);
    entries_[count_++] = {gpa, value, size};
    return Outcome::Mapped;
  }

  // SDM 3A 4.7 "Page-Fault Exceptions", figure 4-12.
  Outcome page_fault(u32 cause) {
    error_ = cause;
    if (access_.write) error_ |= pf::W;
    if (access_.user) error_ |= pf::U;
    if (access_.fetch && is_fetch_reported(cpu_)) error_ |= pf::I;
    return Outcome::PageFault;
  }

  void narrow(Mapping& m, u64 entry) const {
    m.writable = m.writable && (entry & pte::RW);
    m.user = m.user && (entry & pte::US);
  }

  void leaf(Mapping& m, u64 entry, u64 frame, u64 page_mask) const {
    m.size_mask = page_mask;
    m.gpa = (frame & ~page_mask) | (linear_ & page_mask & ~kPageMask);
    m.dirty = entry & pte::D;
    m.global = (entry & pte::G) && (cpu_.cr4 & cr4::PGE);
  }

  // SDM 3A 4.3 "32-Bit Paging".
  Outcome walk_32(Mapping& m) {
    m.user = m.writable = true;
    const u64 linear = linear_ & 0xffffffff;
    u64 entry;
    Outcome outcome = next((cpu_.cr3 & 0xfffff000) | ((linear >> 22) << 2), 4, entry);
    if (outcome != Outcome::Mapped) return outcome;
    narrow(m, entry);
    if ((entry & pte::PS) && (cpu_.cr4 & cr4::PSE)) {
      // Table 4-4: bits 20:13 are bits 39:32 of the address as far as MAXPHYADDR goes.
      const bool pse36 = cpu_.has(Feature::Pse36);
      const unsigned address_bits = !pse36 ? 32 : cpu_.phys_bits < 40 ? cpu_.phys_bits : 40;
      if (entry & bits_from_to(address_bits - 19, 21)) return page_fault(pf::P | pf::RSVD);
      const u64 high = pse36 ? ((entry >> 13) & 0xff) << 32 : 0;
      leaf(m, entry, high | (entry & 0xffc00000), 0x3fffff);
      return Outcome::Mapped;
    }
    outcome = next((entry & 0xfffff000) | (((linear >> 12) & 0x3ff) << 2), 4, entry);
    if (outcome != Outcome::Mapped) return outcome;
    narrow(m, entry);
    leaf(m, entry, entry & 0xfffff000, kPageMask);
    return Outcome::Mapped;
  }

  // SDM 3A 4.4 "PAE Paging".
  Outcome walk_pae(Mapping& m) {
    const unsigned index = (linear_ >> 30) & 3;
    u64 pdpte = cpu_.pdpte[index];
    if (pdptes_in_memory(cpu_)) {
      if (!read_entry((cpu_.cr3 & 0xffffffe0) + index * 8, 8, pdpte)) return Outcome::SecondStage;
      if ((pdpte & pte::P) && (pdpte & pdpte_reserved(cpu_))) return page_fault(pf::P | pf::RSVD);
    }
    if ((pdpte & pte::P) == 0) return page_fault(0);
    return walk_64(m, 2, pdpte & address_mask(cpu_));
  }

  // Reserved bits of a present entry of 64 bits. SDM 3A 4.4.2, tables 4-9 to 4-11, and 4.5.4,
  // tables 4-14 to 4-20.
  u64 reserved_bits(unsigned level, bool is_leaf) const {
    const bool pae = !cpu_.long_mode();
    u64 reserved = bits_from_to(cpu_.phys_bits, pae ? 62 : 51);
    if ((cpu_.efer & efer::NXE) == 0) reserved |= pte::NX;
    if (level >= 4) {
      reserved |= pte::PS;
      if (!cpu_.intel) reserved |= pte::G;  // APM 2 5.3.3, figure 5-20: bits 8:7 of a PML4E
    }
    if (level == 3 && !cpu_.has(Feature::Page1Gb)) reserved |= pte::PS;
    if (is_leaf && level > 1) reserved |= bits_from_to(13, 12 + 9 * (level - 1) - 1);
    return reserved;
  }

  // Levels with entries of 8 bytes, from `level` (5: PML5 ... 1: page table) down.
  Outcome walk_64(Mapping& m, unsigned level, u64 table) {
    m.user = m.writable = true;
    for (;; --level) {
      const unsigned shift = 12 + 9 * (level - 1);
      u64 entry;
      const Outcome outcome = next(table | (((linear_ >> shift) & 0x1ff) << 3), 8, entry);
      if (outcome != Outcome::Mapped) return outcome;
      const bool is_leaf = level == 1 || (level <= 3 && (entry & pte::PS));
      if (entry & reserved_bits(level, is_leaf)) return page_fault(pf::P | pf::RSVD);
      narrow(m, entry);
      if (entry & pte::NX) m.execute = false;
      if (is_leaf) {
        leaf(m, entry, entry & address_mask(cpu_), (u64{1} << shift) - 1);
        if (cpu_.long_mode()) m.pkey = (entry >> pte::kKeyShift) & 0xf;
        return Outcome::Mapped;
      }
      table = entry & address_mask(cpu_);
    }
  }

  // Rights, then the second stage of the final address.
  Outcome finish(Mapping& m) {
    if (cpu_.cr0 & cr0::PG) {
      const bool key = key_forbids(cpu_, m, access_);
      if (key || !rights_allow(cpu_, m, access_)) return page_fault(pf::P | (key ? pf::PK : 0));
    }
    m.pa = m.gpa;
    return nested_ ? second_stage_of_page(m) : Outcome::Mapped;
  }

  Outcome second_stage_of_page(Mapping& m) {
    const GpaAccess access{.read = !access_.write && !access_.fetch,
                           .write = access_.write,
                           .fetch = access_.fetch,
                           .user = m.user,
                           .table_walk = false,
                           .linear_valid = true,
                           .linear = linear_};
    // The byte accessed, not the page: exits report it. SDM 3C 28.2.1, APM 2 15.25.6.
    const u64 address = m.gpa | (linear_ & kPageMask);
    SecondStage result;
    if (!cpu_.virt->translate(cpu_, address, access, result)) return Outcome::SecondStage;
    m.pa = result.host_pa & ~kPageMask;
    if (result.page_mask < m.size_mask) m.size_mask = result.page_mask;
    m.readable = result.readable;
    m.writable = m.writable && result.writable;
    m.execute = m.execute && (m.user ? result.user_exec : result.super_exec);
    return Outcome::Mapped;
  }

  Cpu& cpu_;
  const u64 linear_;
  const WalkAccess access_;
  const bool nested_;
  u32 error_ = 0;
  unsigned count_ = 0;
  Entry entries_[5];
};

}  // namespace

bool allowed(const Cpu& cpu, const Mapping& m, const WalkAccess& a) {
  const bool nested = second_stage(cpu);
  if (nested) {
    if (!m.readable && !a.write && !a.fetch) return false;
    // `writable` does not tell which stage forbids; CR0.WP = 0 lifts the first only. Saying no is
    // safe: the access walks again.
    if (a.write && !m.writable) return false;
  }
  if (a.fetch && !m.execute) return false;
  if ((cpu.cr0 & cr0::PG) == 0) return true;
  return rights_allow(cpu, m, a) && !key_forbids(cpu, m, a);
}

bool walk(Cpu& cpu, u64 linear, const WalkAccess& access, Mapping& out) {
  Walker walker(cpu, linear, access);
  Walker::Outcome outcome = walker.translate(out);
  if (outcome == Walker::Outcome::Mapped) outcome = walker.set_accessed_dirty(out);
  switch (outcome) {
    case Walker::Outcome::Mapped:
      return true;
    case Walker::Outcome::SecondStage:
      cpu.raise_second_stage();
      return false;
    case Walker::Outcome::PageFault:
      cpu.raise_event(Event{.vector = static_cast<u8>(Vector::PF),
                            .type = EventType::HardwareException,
                            .has_error = true,
                            .error = walker.error_code(),
                            .cr2 = linear,
                            .dr6 = 0});
      return false;
  }
  return false;
}

bool peek(const Cpu& cpu, u64 linear, u64& pa) {
  // With an exit pending the second stage must not be asked: it would forget that exit.
  if (cpu.second_stage_pending) return false;
  // translate() itself changes nothing of the processor; it is not const because virt->translate()
  // is not.
  Cpu& cpu_unchanged = const_cast<Cpu&>(cpu);
  Mapping m;
  Walker walker(cpu_unchanged, linear, WalkAccess{});
  if (walker.translate(m) != Walker::Outcome::Mapped) {
    // Mapped, but refused to a supervisor read: gpa is the answer unless a second stage is active.
    const bool refused = (walker.error_code() & (pf::P | pf::RSVD)) == pf::P;
    if (!refused || second_stage(cpu)) return false;
    m.pa = m.gpa;
  }
  pa = m.pa | (linear & kPageMask);
  return true;
}

bool load_pdptes(Cpu& cpu, u64 cr3) {
  if (pdptes_in_memory(cpu)) return true;
  Walker walker(cpu, 0, WalkAccess{});
  u64 loaded[4];
  for (unsigned i = 0; i < 4; ++i) {
    if (!walker.read_entry((cr3 & 0xffffffe0) + i * 8, 8, loaded[i])) {
      cpu.raise_second_stage();
      return false;
    }
    if ((loaded[i] & pte::P) && (loaded[i] & pdpte_reserved(cpu))) return false;
  }
  for (unsigned i = 0; i < 4; ++i) cpu.pdpte[i] = loaded[i];
  return true;
}

}  // namespace softvt
