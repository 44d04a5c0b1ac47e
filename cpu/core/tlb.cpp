#include "cpu/core/tlb.h"

#include "cpu/core/code_cache.h"
#include "cpu/phys_memory.h"
#include "cpu/sys/debug_regs.h"

namespace softvt {
namespace {

constexpr u64 page_of(u64 linear) { return linear & ~kPageMask; }

// Bits of `rights` in a context's key. Their values are private to this file.
u32 rights_of(const Cpu& cpu) {
  u32 k = 0;
  k |= cpu.cpl() == 3 ? 1 : 0;
  k |= (cpu.cr4 & cr4::SMAP) != 0 && (cpu.rflags_rest & rflags::AC) != 0 ? 2 : 0;
  k |= (cpu.cr0 & cr0::WP) != 0 ? 4 : 0;
  k |= (cpu.cr0 & cr0::PG) != 0 ? 8 : 0;
  k |= (cpu.efer & efer::NXE) != 0 ? 16 : 0;
  k |= (cpu.efer & efer::LMA) != 0 ? 32 : 0;
  constexpr u64 kCr4 =
      cr4::PSE | cr4::PAE | cr4::LA57 | cr4::SMEP | cr4::SMAP | cr4::PKE | cr4::PKS;
  return k | static_cast<u32>(cpu.cr4 & kCr4) << 7;
}

u64 pkeys_of(const Cpu& cpu) {
  u64 k = 0;
  if ((cpu.cr4 & cr4::PKE) != 0) k |= cpu.pkru;
  if ((cpu.cr4 & cr4::PKS) != 0) k |= u64{cpu.pkrs} << 32;
  return k;
}

bool watched(const Cpu& cpu, u64 linear) {
  return (cpu.dr7 & 0xff) != 0 &&
         match_data_breakpoints(cpu, page_of(linear), kPageSize, true) != 0;
}

}  // namespace

void TlbContext::clear() {
  if (filled_count <= filled.size()) {
    for (u32 i = 0; i < filled_count; ++i) entries[filled[i]] = TlbEntry{};
  } else {
    entries.fill(TlbEntry{});
  }
  filled_count = 0;
  large.clear();
}

TlbPool::TlbPool()
    : contexts_(std::make_unique<std::array<TlbContext, kContexts>>()),
      second_level_(std::make_unique<std::array<Entry, kSecondLevel>>()),
      second_(second_level_->data()) {}

SpaceKey TlbPool::space_of(const Cpu& cpu) {
  SpaceKey key;
  key.asid = cpu.asid_tag;
  key.guest = cpu.guest_mode;
  key.second_stage = cpu.second_stage_tag;
  key.pcid = (cpu.cr4 & cr4::PCIDE) != 0 ? static_cast<u16>(cpu.cr3 & 0xfff) : 0;
  return key;
}

u32 TlbPool::global_serial_of(const SpaceKey& key) const {
  for (const Space& s : spaces_) {
    if (s.used && s.key.asid == key.asid && s.key.guest == key.guest &&
        s.key.second_stage == key.second_stage) {
      return s.global_serial;
    }
  }
  return 0;
}

TlbPool::Space& TlbPool::space(const SpaceKey& key) {
  for (Space& s : spaces_) {
    if (s.used && s.key == key) return s;
  }
  const u32 global = global_serial_of(key);
  Space* victim = nullptr;
  for (Space& s : spaces_) {
    if (!s.used) victim = &s;
  }
  if (victim == nullptr) victim = &spaces_[next_victim_++ % kSpaces];
  *victim = Space{key, next_space_serial_++, global != 0 ? global : next_space_serial_++, true};
  return *victim;
}

void TlbPool::activate(Cpu& cpu) {
  const ContextKey key{space_of(cpu), rights_of(cpu), pkeys_of(cpu)};
  if (current_ == nullptr || !(current_->key == key)) {
    TlbContext* best = nullptr;
    for (TlbContext& c : *contexts_) {
      if (c.used && c.key == key) {
        best = &c;
        break;
      }
    }
    if (best == nullptr) {
      best = &(*contexts_)[0];
      for (TlbContext& c : *contexts_) {
        if (c.last_used < best->last_used) best = &c;
      }
      best->key = key;
      best->used = true;
      best->clear();
      renew(*best);
    }
    current_ = best;
    if (best->space == nullptr || !best->space->used || !(best->space->key == key.space)) {
      best->space = &space(key.space);
    }
    space_ = best->space;
  }
  current_->last_used = ++clock_;
  cpu.tlb = current_->entries.data();
  cpu.jump_tag = current_->serial << 32 | cpu.mode;
}

void TlbPool::renew(TlbContext& context) { context.serial = next_serial_++; }

void TlbPool::enter(Cpu& cpu, u64 linear, const Mapping& mapping) {
  u8* host = cpu.mem->page(mapping.pa);
  if (host == nullptr || watched(cpu, linear)) return;
  u8* flags = cpu.mem->flags(mapping.pa);
  const u64 page = page_of(linear);
  const bool user = cpu.cpl() == 3;
  TlbEntry e;
  e.addend = reinterpret_cast<u64>(host) - page;
  if (allowed(cpu, mapping, {.write = false, .fetch = false, .user = user})) e.r = page;
  if (mapping.dirty && (*flags & (page_flag::kCode | page_flag::kReadOnly)) == 0 &&
      allowed(cpu, mapping, {.write = true, .fetch = false, .user = user})) {
    e.w = page;
    *flags |= page_flag::kWriteMapped;
  }
  if (allowed(cpu, mapping, {.write = false, .fetch = true, .user = user})) e.x = page;
  current_->put(linear, e);
  current_->large.add(linear, mapping.size_mask);
}

bool TlbPool::translate(Cpu& cpu, u64 linear, const WalkAccess& access, Mapping& out) {
  Entry& e = slot_for(linear);
  const bool hit =
      e.va == page_of(linear) && (e.serial == space_->serial || e.serial == space_->global_serial);
  if (!hit || !allowed(cpu, e.mapping, access) || (access.write && !e.mapping.dirty)) {
    if (!walk(cpu, linear, access, out)) return false;
    e.va = page_of(linear);
    e.mapping = out;
    second_large_.add(linear, out.size_mask);
    e.serial = out.global && (cpu.cr4 & cr4::PGE) != 0 ? space_->global_serial : space_->serial;
  } else {
    out = e.mapping;
  }
  if (access.user == (cpu.cpl() == 3)) enter(cpu, linear, out);
  return true;
}

void TlbPool::flush_space(Cpu& cpu, const SpaceKey& key, bool keep_global) {
  for (Space& s : spaces_) {
    if (!s.used) continue;
    const bool same_world = s.key.asid == key.asid && s.key.guest == key.guest;
    if (s.key == key || (same_world && !keep_global)) s.serial = next_space_serial_++;
  }
  if (!keep_global) {
    const u32 fresh = next_space_serial_++;
    for (Space& s : spaces_) {
      if (s.used && s.key.asid == key.asid && s.key.guest == key.guest) s.global_serial = fresh;
    }
  }
  for (TlbContext& c : *contexts_) {
    const bool same_world = c.key.space.asid == key.asid && c.key.space.guest == key.guest;
    if (c.used && (c.key.space == key || (same_world && !keep_global))) {
      c.clear();
      renew(c);
    }
  }
  activate(cpu);
}

void TlbPool::flush_page(Cpu& cpu, const SpaceKey& key, u64 linear, bool with_global) {
  for (TlbContext& c : *contexts_) {
    const bool same_world = c.key.space.asid == key.asid && c.key.space.guest == key.guest;
    if (!c.used || !same_world || (!with_global && !(c.key.space == key))) continue;
    if (c.large.may_hold(linear)) {
      c.clear();
    } else {
      c.entries[tlb_index(linear)] = TlbEntry{};
    }
    renew(c);
  }
  // A large page has second-level entries under each of its 4 KiB pages.
  if (slot_for(linear).va == page_of(linear)) slot_for(linear).va = 1;
  if (second_large_.may_hold(linear)) {
    for (unsigned i = 0; i < kSecondLevel; ++i) {
      Entry& other = second_[i];
      if (((other.va ^ linear) & ~other.mapping.size_mask & ~kPageMask) == 0) other.va = 1;
    }
  }
  activate(cpu);
}

// The spaces keep their places, only their entries lose their tags.
void TlbPool::retire(Space& space) {
  space.serial = next_space_serial_++;
  space.global_serial = next_space_serial_++;
}

void TlbPool::flush_asid(Cpu& cpu, u32 asid, bool guest_only) {
  for (Space& s : spaces_) {
    if (s.used && s.key.asid == asid && (!guest_only || s.key.guest)) retire(s);
  }
  for (TlbContext& c : *contexts_) {
    if (!c.used || c.key.space.asid != asid || (guest_only && !c.key.space.guest)) continue;
    c.clear();
    renew(c);
  }
  activate(cpu);
}

void TlbPool::flush_second_stage(Cpu& cpu, u64 second_stage) {
  for (Space& s : spaces_) {
    if (s.used && s.key.second_stage == second_stage) retire(s);
  }
  for (TlbContext& c : *contexts_) {
    if (!c.used || c.key.space.second_stage != second_stage) continue;
    c.clear();
    renew(c);
  }
  activate(cpu);
}

void TlbPool::flush_everything(Cpu& cpu) {
  for (Space& s : spaces_) s.used = false;
  for (TlbContext& c : *contexts_) {
    c.clear();
    renew(c);
  }
  current_ = nullptr;
  activate(cpu);
}

void TlbPool::flush_first_level(Cpu& cpu) {
  for (TlbContext& c : *contexts_) {
    c.clear();
    renew(c);
  }
  activate(cpu);
}

void TlbPool::revoke_writes(const PhysMemory& mem, u64 pa_page) {
  const u64 host = reinterpret_cast<u64>(mem.page(pa_page));
  for (TlbContext& c : *contexts_) {
    for (TlbEntry& e : c.entries) {
      if (e.w != 1 && e.w + e.addend == host) e.w = 1;
    }
  }
}

}  // namespace softvt
