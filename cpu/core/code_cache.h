// Decoded blocks, shared by all vcpus of a machine (they run one at a time).
//
// A block is keyed by where its bytes are (physical) and by the mode word, so it is valid under any
// mapping. A page that holds decoded code never gets a TLB write tag; a store to it comes here, and
// if it touches bytes that were decoded, every block of the page becomes stale: its first
// instruction turns into one that looks the block up anew. Nothing tracks incoming links.
#pragma once
#include <memory>
#include <unordered_map>
#include <vector>

#include "cpu/insn.h"
#include "cpu/types.h"

namespace softvt {

class TlbPool;
class PhysMemory;

struct BlockKey {
  u64 pa = 0;
  u32 mode = 0;
  u32 cs_limit = 0;  // 0xffffffff if the code segment is flat
  bool operator==(const BlockKey&) const = default;
};

class CodeCache {
 public:
  // `insn_capacity` decoded instructions (56 bytes each) before all of them are dropped at once.
  explicit CodeCache(PhysMemory& mem, u32 insn_capacity = 512 * 1024);

  Insn* find(const BlockKey& key) const;

  // Room for one block of up to `count` instructions; flushes everything if there is none.
  Insn* reserve(u32 count);
  // Enters the block that was built in reserved room. `first_offset`..`last_offset` are its bytes
  // in the page of key.pa; `second_page` is the page of an instruction that crosses, or 0, and
  // `second_last_offset` its last byte there.
  void commit(const BlockKey& key, Insn* first, u32 count, u32 first_offset, u32 last_offset,
              u64 second_page, u32 second_last_offset);

  // Keeps the room of a block that is not entered, until the next flush: its branches may still be
  // waiting for their links.
  void keep(u32 count) { used_ += count; }

  // Bytes of RAM were written. Returns true if blocks became stale.
  bool invalidate(u64 pa, unsigned size);
  void flush();

  // Each vcpu's TLB, whose write tags must go when a page becomes code, and what must be dropped
  // when the arena is flushed.
  struct Client {
    TlbPool* tlbs;
    Cpu* cpu;
  };
  void attach(Client client) { clients_.push_back(client); }

  u64 blocks_built() const { return blocks_built_; }
  u64 flushes() const { return flushes_; }
  u64 invalidations() const { return invalidations_; }

 private:
  struct Block {
    BlockKey key;
    Insn* first;
    u32 next_in_bucket;
  };
  struct CodePage {
    u64 granules = 0;  // bit i: bytes i*64 .. i*64+63 were decoded
    std::vector<u32> blocks;
  };
  static constexpr u32 kBuckets = 1 << 16;
  static constexpr u32 kNone = ~u32{0};

  static u32 hash(const BlockKey& key) {
    const u64 x = (key.pa ^ (u64{key.mode} << 40) ^ (u64{key.cs_limit} << 20)) * 0x9e3779b97f4a7c15;
    return static_cast<u32>(x >> 48);
  }
  void mark_page(u64 pa, u32 from, u32 to, u32 block);
  void drop_page(u64 pa_page);
  void unlink(u32 block);

  PhysMemory& mem_;
  std::unique_ptr<Insn[]> arena_;
  u32 capacity_;
  u32 used_ = 0;
  std::vector<u32> buckets_;
  std::vector<Block> blocks_;
  std::unordered_map<u64, CodePage> pages_;  // looked up by key only, never iterated for output
  std::vector<Client> clients_;
  u64 blocks_built_ = 0, flushes_ = 0, invalidations_ = 0;
};

}  // namespace softvt
