// Memory access with every check: the slow way of the hot handlers and the way of everything else.
#include "cpu/access.h"

#include <algorithm>
#include <cstring>

#include "cpu/apic/local_apic.h"
#include "cpu/core/tlb.h"
#include "cpu/insn/host_span.h"
#include "cpu/phys_memory.h"
#include "cpu/sys/debug_regs.h"

namespace softvt {
namespace {

constexpr unsigned page_room(u64 linear) {
  return static_cast<unsigned>(kPageSize - (linear & kPageMask));
}

// Linear addresses wrap at 4 GiB outside IA-32e mode; compatibility mode reaches the tables of a
// 64-bit kernel by implicit accesses.
u64 wrap(const Cpu& cpu, u64 linear) {
  return cpu.long_mode() || !cpu.protected_mode() ? linear : static_cast<u32>(linear);
}

struct Rights {
  bool user;
  bool implicit;
};

bool translate(Cpu& cpu, u64 linear, bool write, Rights rights, Mapping& out) {
  const WalkAccess access{write, false, rights.user, rights.implicit};
  return cpu.tlbs->translate(cpu, linear, access, out);
}

// The local APIC's page belongs to this processor, whatever the bus has there.
bool is_apic_page(const Cpu& cpu, u64 pa) {
  return cpu.apic != nullptr && cpu.apic->mmio_enabled() &&
         (pa & ~kPageMask) == (cpu.apic->base() & ~kPageMask);
}

u64 device_read(Cpu& cpu, u64 pa, unsigned size) {
  cpu.sync_time();
  if (is_apic_page(cpu, pa)) return cpu.apic->mmio_read(static_cast<u32>(pa & kPageMask), size);
  return cpu.mem->read_any(pa, size);
}
void device_write(Cpu& cpu, u64 pa, u64 value, unsigned size) {
  cpu.sync_time();
  if (is_apic_page(cpu, pa)) {
    cpu.apic->mmio_write(static_cast<u32>(pa & kPageMask), value, size);
  } else {
    cpu.mem->write_any(pa, value, size);
  }
}

// The largest naturally aligned piece, up to 8 bytes, at `pa`.
unsigned piece(u64 pa, unsigned size) {
  unsigned n = 8;
  while (n > size || (pa & (n - 1)) != 0) n /= 2;
  return n;
}

void physical_read(Cpu& cpu, u64 pa, u8* out, unsigned size) {
  if (!is_apic_page(cpu, pa)) {
    if (const u8* host = cpu.mem->page(pa)) {
      std::memcpy(out, host + (pa & kPageMask), size);
      return;
    }
  }
  while (size != 0) {
    const unsigned n = piece(pa, size);
    const u64 value = device_read(cpu, pa, n);
    std::memcpy(out, &value, n);
    out += n;
    pa += n;
    size -= n;
  }
}

void physical_write(Cpu& cpu, u64 pa, const u8* in, unsigned size) {
  const u8* flags = cpu.mem->flags(pa);
  const bool read_only = flags != nullptr && (*flags & page_flag::kReadOnly) != 0;
  if (!is_apic_page(cpu, pa) && cpu.mem->page(pa) != nullptr) {
    if (!read_only) cpu.mem->write(pa, in, size);
    return;
  }
  while (size != 0) {
    const unsigned n = piece(pa, size);
    u64 value = 0;
    std::memcpy(&value, in, n);
    device_write(cpu, pa, value, n);
    in += n;
    pa += n;
    size -= n;
  }
}

void note_data_breakpoint(Cpu& cpu, u64 linear, unsigned size, bool write) {
  if (!breakpoints_enabled(cpu)) return;
  if (const u64 hit = match_data_breakpoints(cpu, linear, size, write)) {
    cpu.pending_dr6 |= hit;
    cpu.leave_block = true;
  }
}

bool read_with(Cpu& cpu, u64 linear, void* out, unsigned size, Rights rights) {
  linear = wrap(cpu, linear);
  const unsigned first = std::min(size, page_room(linear));
  Mapping a, b;
  if (!translate(cpu, linear, false, rights, a)) return false;
  if (first != size && !translate(cpu, wrap(cpu, linear + first), false, rights, b)) return false;
  note_data_breakpoint(cpu, linear, size, false);
  auto* to = static_cast<u8*>(out);
  physical_read(cpu, (a.pa & ~kPageMask) | (linear & kPageMask), to, first);
  if (first != size) physical_read(cpu, b.pa & ~kPageMask, to + first, size - first);
  return true;
}

bool write_with(Cpu& cpu, u64 linear, const void* in, unsigned size, Rights rights) {
  linear = wrap(cpu, linear);
  const unsigned first = std::min(size, page_room(linear));
  Mapping a, b;
  if (!translate(cpu, linear, true, rights, a)) return false;
  if (first != size && !translate(cpu, wrap(cpu, linear + first), true, rights, b)) return false;
  note_data_breakpoint(cpu, linear, size, true);
  const auto* from = static_cast<const u8*>(in);
  physical_write(cpu, (a.pa & ~kPageMask) | (linear & kPageMask), from, first);
  if (first != size) physical_write(cpu, b.pa & ~kPageMask, from + first, size - first);
  return true;
}

bool probe_with(Cpu& cpu, u64 linear, unsigned size, Rights rights) {
  linear = wrap(cpu, linear);
  const unsigned first = std::min(size, page_room(linear));
  Mapping m;
  if (!translate(cpu, linear, true, rights, m)) return false;
  return first == size || translate(cpu, wrap(cpu, linear + first), true, rights, m);
}

// The first level of the TLB answers for the present rights: nothing is left to be checked on a
// match. Null if it does not know.
u8* mapped(const Cpu& cpu, u64 linear, unsigned size, bool write) {
  const TlbEntry& e = cpu.tlb[tlb_index(linear)];
  const u64 page = linear & ~kPageMask;
  if (page != (write ? e.w : e.r) || size > page_room(linear)) return nullptr;
  return reinterpret_cast<u8*>(linear + e.addend);
}

template <class T>
void copy_as(void* to, const void* from) {
  T v;
  std::memcpy(&v, from, sizeof(T));
  std::memcpy(to, &v, sizeof(T));
}
// memcpy with the common sizes inline.
void copy(void* to, const void* from, unsigned size) {
  switch (size) {
    case 1:
      return copy_as<u8>(to, from);
    case 2:
      return copy_as<u16>(to, from);
    case 4:
      return copy_as<u32>(to, from);
    case 8:
      return copy_as<u64>(to, from);
    case 16:
      return copy_as<u128>(to, from);
    default:
      std::memcpy(to, from, size);
  }
}

// Whether the first level's answers hold for an access with the rights of `cpl` too. Implicit
// supervisor accesses obey SMAP whatever RFLAGS.AC is. SDM 3A 4.6.1.
bool answers_for(const Cpu& cpu, unsigned cpl) {
  return (cpl == 3) == (cpu.cpl() == 3) && (cpl == 3 || (cpu.rflags_rest & rflags::AC) == 0);
}

bool read_mapped(const Cpu& cpu, u64 linear, void* out, unsigned size) {
  const u8* host = mapped(cpu, linear, size, false);
  if (host != nullptr) copy(out, host, size);
  return host != nullptr;
}
bool write_mapped(const Cpu& cpu, u64 linear, const void* in, unsigned size) {
  u8* host = mapped(cpu, linear, size, true);
  if (host != nullptr) copy(host, in, size);
  return host != nullptr;
}

Rights current_rights(const Cpu& cpu) { return {cpu.cpl() == 3, false}; }
constexpr Rights kSystem{false, true};

// SDM 3A 6.15, table 6-7 "Alignment Requirements by Data Type".
unsigned alignment_of(unsigned size) {
  switch (size) {
    case 2:
    case 4:
    case 8:
      return size;
    case 10:
      return 8;  // 80-bit numbers
    case 14:
    case 94:
      return 2;  // FSTENV, FSAVE with 16-bit operand size
    case 28:
    case 108:
      return 4;
    default:
      return 1;
  }
}

// SDM 3A 6.15 "Interrupt 17—Alignment Check Exception (#AC)".
bool aligned(Cpu& cpu, u64 linear, unsigned size) {
  const unsigned natural = alignment_of(size);
  const bool checked = natural > 1 && cpu.cpl() == 3 && (cpu.cr0 & cr0::AM) != 0 &&
                       (cpu.rflags_rest & rflags::AC) != 0;
  if (!checked || (linear & (natural - 1)) == 0) return true;
  cpu.raise(Vector::AC, 0);
  return false;
}

bool fail_segment(Cpu& cpu, Seg seg) {
  cpu.raise(seg == Seg::SS ? Vector::SS : Vector::GP, 0);
  return false;
}

// Type of the segment against the access. SDM 3A 5.5 "Type Checking".
bool type_allows(const Segment& s, Access access) {
  using namespace seg_rights;
  const bool writes = access == Access::Write || access == Access::ReadWrite;
  if ((s.rights & Code) != 0) return !writes && (s.rights & Readable) != 0;
  return !writes || (s.rights & Writable) != 0;
}

bool limit_allows(const Segment& s, u64 offset, unsigned size) {
  using namespace seg_rights;
  const u64 last = offset + size - 1;
  if ((s.rights & (Code | ExpandDown)) == ExpandDown) {
    const u64 top = (s.rights & DB) != 0 ? 0xffffffff : 0xffff;
    return offset > s.limit && last <= top;
  }
  return last <= s.limit;
}

}  // namespace

bool canonical(const Cpu& cpu, u64 linear) {
  const u8 shift = cpu.canonical_shift;
  return static_cast<u64>(static_cast<i64>(linear << shift) >> shift) == linear;
}

u64 effective_address(const Cpu& cpu, const Insn& in) {
  u64 disp = static_cast<u64>(i64{in.disp});
  if ((in.flags & insn_flag::kMoffs) != 0) disp = static_cast<u64>(in.imm);
  if ((in.flags & insn_flag::kRipRaw) != 0) disp += u64{in.pofs} + in.len;
  const u64 base = get_reg<u64>(cpu, in.base);
  const u64 index = get_reg<u64>(cpu, in.idx) << in.scale;
  const u64 sum = base + index + disp;
  return in.addrsize == 8 ? sum : in.addrsize == 4 ? static_cast<u32>(sum) : static_cast<u16>(sum);
}

bool segment_address(Cpu& cpu, Seg seg, u64 offset, unsigned size, Access access, u64& linear) {
  const Segment& s = cpu.seg[static_cast<unsigned>(seg)];
  if (cpu.code64()) {
    linear = offset + (seg >= Seg::FS ? s.base : 0);
    if (canonical(cpu, linear) && canonical(cpu, linear + size - 1)) return true;
    return fail_segment(cpu, seg);
  }
  if (s.unusable() || !limit_allows(s, offset, size)) return fail_segment(cpu, seg);
  if (cpu.protected_mode() && !cpu.v86() && !type_allows(s, access)) return fail_segment(cpu, seg);
  linear = s.base + offset;
  if (cpu.protected_mode()) linear = static_cast<u32>(linear);
  return true;
}

bool operand_address(Cpu& cpu, const Insn& in, unsigned size, Access access, u64& linear) {
  return segment_address(cpu, static_cast<Seg>(in.seg), effective_address(cpu, in), size, access,
                         linear);
}

bool read_linear(Cpu& cpu, u64 linear, void* out, unsigned size) {
  if (!aligned(cpu, linear, size)) return false;
  return read_mapped(cpu, linear, out, size) ||
         read_with(cpu, linear, out, size, current_rights(cpu));
}
bool write_linear(Cpu& cpu, u64 linear, const void* in, unsigned size) {
  if (!aligned(cpu, linear, size)) return false;
  return write_mapped(cpu, linear, in, size) ||
         write_with(cpu, linear, in, size, current_rights(cpu));
}
bool probe_write(Cpu& cpu, u64 linear, unsigned size) {
  if (!aligned(cpu, linear, size)) return false;
  return mapped(cpu, linear, size, true) != nullptr ||
         probe_with(cpu, linear, size, current_rights(cpu));
}
bool read_system(Cpu& cpu, u64 linear, void* out, unsigned size) {
  if (answers_for(cpu, 0) && read_mapped(cpu, linear, out, size)) return true;
  return read_with(cpu, linear, out, size, kSystem);
}
bool write_system(Cpu& cpu, u64 linear, const void* in, unsigned size) {
  if (answers_for(cpu, 0) && write_mapped(cpu, linear, in, size)) return true;
  return write_with(cpu, linear, in, size, kSystem);
}
bool probe_write_system(Cpu& cpu, u64 linear, unsigned size) {
  return probe_with(cpu, linear, size, kSystem);
}
bool read_as(Cpu& cpu, unsigned cpl, u64 linear, void* out, unsigned size) {
  if (answers_for(cpu, cpl) && read_mapped(cpu, linear, out, size)) return true;
  return read_with(cpu, linear, out, size, {cpl == 3, cpl != 3 && cpu.cpl() == 3});
}
bool write_as(Cpu& cpu, unsigned cpl, u64 linear, const void* in, unsigned size) {
  if (answers_for(cpu, cpl) && write_mapped(cpu, linear, in, size)) return true;
  return write_with(cpu, linear, in, size, {cpl == 3, cpl != 3 && cpu.cpl() == 3});
}

unsigned stack_size(const Cpu& cpu) {
  if (cpu.code64()) return 8;
  return (cpu.seg[2].rights & seg_rights::DB) != 0 ? 4 : 2;
}
u64 stack_pointer(const Cpu& cpu) { return cpu.r[RSP] & size_mask(stack_size(cpu)); }
void set_stack_pointer(Cpu& cpu, u64 value) { put_reg_sized(cpu, RSP * 8, stack_size(cpu), value); }

bool push(Cpu& cpu, u64 value, unsigned size) {
  const u64 sp = (stack_pointer(cpu) - size) & size_mask(stack_size(cpu));
  u64 linear;
  if (!segment_address(cpu, Seg::SS, sp, size, Access::Write, linear) ||
      !write_linear(cpu, linear, &value, size)) {
    return false;
  }
  set_stack_pointer(cpu, sp);
  return true;
}

bool pop(Cpu& cpu, u64& value, unsigned size) {
  const u64 sp = stack_pointer(cpu);
  u64 linear;
  value = 0;
  if (!segment_address(cpu, Seg::SS, sp, size, Access::Read, linear) ||
      !read_linear(cpu, linear, &value, size)) {
    return false;
  }
  set_stack_pointer(cpu, sp + size);
  return true;
}

u8* host_span(Cpu& cpu, u64 linear, unsigned size, bool write) {
  linear = wrap(cpu, linear);
  if (size == 0) return nullptr;
  if (u8* host = mapped(cpu, linear, size, write)) return host;
  // The caller is about to access these bytes; if that faults, it shall do so there.
  Mapping m;
  if (!translate(cpu, linear, write, current_rights(cpu), m)) {
    cpu.fault_pending = cpu.second_stage_pending = false;
    return nullptr;
  }
  return mapped(cpu, linear, size, write);
}

}  // namespace softvt
