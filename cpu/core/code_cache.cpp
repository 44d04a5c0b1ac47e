#include "cpu/core/code_cache.h"

#include <algorithm>

#include "cpu/core/handlers.h"
#include "cpu/core/tlb.h"
#include "cpu/phys_memory.h"

namespace softvt {
namespace {

constexpr u64 page_of(u64 pa) { return pa & ~kPageMask; }

// One bit for each 64-byte granule of `from`..`to` (offsets in a page, inclusive).
u64 granules_of(u32 from, u32 to) {
  const u32 first = from / 64;
  const u32 last = to / 64;
  const u64 up_to_last = last == 63 ? ~u64{0} : (u64{1} << (last + 1)) - 1;
  return up_to_last & ~((u64{1} << first) - 1);
}

}  // namespace

CodeCache::CodeCache(PhysMemory& mem, u32 insn_capacity)
    : mem_(mem),
      arena_(std::make_unique_for_overwrite<Insn[]>(insn_capacity)),  // touched as it fills
      capacity_(insn_capacity),
      buckets_(kBuckets, kNone) {
  mem_.on_code_write = [this](u64 pa, unsigned size) { invalidate(pa, size); };
}

Insn* CodeCache::find(const BlockKey& key) const {
  for (u32 i = buckets_[hash(key)]; i != kNone; i = blocks_[i].next_in_bucket) {
    if (blocks_[i].key == key) return blocks_[i].first;
  }
  return nullptr;
}

Insn* CodeCache::reserve(u32 count) {
  if (used_ + count > capacity_) flush();
  return arena_.get() + used_;
}

void CodeCache::commit(const BlockKey& key, Insn* first, u32 count, u32 first_offset,
                       u32 last_offset, u64 second_page, u32 second_last_offset) {
  used_ += count;
  const u32 index = static_cast<u32>(blocks_.size());
  u32& bucket = buckets_[hash(key)];
  blocks_.push_back({key, first, bucket});
  bucket = index;
  ++blocks_built_;
  if (mem_.page(key.pa) != nullptr) mark_page(page_of(key.pa), first_offset, last_offset, index);
  if (second_page != 0 && mem_.page(second_page) != nullptr) {
    mark_page(second_page, 0, second_last_offset, index);
  }
}

void CodeCache::mark_page(u64 pa, u32 from, u32 to, u32 block) {
  u8& flags = *mem_.flags(pa);
  if ((flags & page_flag::kWriteMapped) != 0) {
    for (const Client& c : clients_) c.tlbs->revoke_writes(mem_, pa);
    flags &= static_cast<u8>(~page_flag::kWriteMapped);
  }
  flags |= page_flag::kCode;
  CodePage& page = pages_[pa];
  page.granules |= granules_of(from, to);
  page.blocks.push_back(block);
}

bool CodeCache::invalidate(u64 pa, unsigned size) {
  bool hit = false;
  while (size != 0) {
    const u64 offset = pa & kPageMask;
    const unsigned part = static_cast<unsigned>(std::min<u64>(size, kPageSize - offset));
    const auto it = pages_.find(page_of(pa));
    if (it != pages_.end() &&
        (it->second.granules &
         granules_of(static_cast<u32>(offset), static_cast<u32>(offset + part - 1))) != 0) {
      drop_page(page_of(pa));
      hit = true;
    }
    pa += part;
    size -= part;
  }
  return hit;
}

void CodeCache::drop_page(u64 pa_page) {
  const auto it = pages_.find(pa_page);
  for (const u32 i : it->second.blocks) {
    handlers::make_stale(*blocks_[i].first);
    unlink(i);
  }
  pages_.erase(it);
  if (u8* flags = mem_.flags(pa_page)) *flags &= static_cast<u8>(~page_flag::kCode);
  ++invalidations_;
  for (const Client& c : clients_) c.cpu->leave_block = true;
}

void CodeCache::unlink(u32 block) {
  for (u32* at = &buckets_[hash(blocks_[block].key)]; *at != kNone;
       at = &blocks_[*at].next_in_bucket) {
    if (*at != block) continue;
    *at = blocks_[block].next_in_bucket;
    return;
  }
}

void CodeCache::flush() {
  ++flushes_;
  used_ = 0;
  blocks_.clear();
  std::fill(buckets_.begin(), buckets_.end(), kNone);
  for (const auto& [pa, page] : pages_) {
    if (u8* flags = mem_.flags(pa)) *flags &= static_cast<u8>(~page_flag::kCode);
  }
  pages_.clear();
  for (const Client& c : clients_) {
    std::fill_n(c.cpu->jumps, kJumpEntries, JumpEntry{});
    c.cpu->link_from = nullptr;
    c.cpu->current = nullptr;
    c.cpu->leave_block = true;
  }
}

}  // namespace softvt
