#include "cpu/core/block.h"

#include <algorithm>
#include <cstring>

#include "cpu/access.h"
#include "cpu/core/bind.h"
#include "cpu/core/handlers.h"
#include "cpu/core/mode.h"
#include "cpu/core/tlb.h"
#include "cpu/phys_memory.h"
#include "cpu/rows.h"

namespace softvt {
namespace {

constexpr unsigned kMaxInsnBytes = 15;

// Translation of one page for fetching.
struct FetchPage {
  u64 pa = 0;                // physical address of the page
  const u8* host = nullptr;  // null if it is not RAM
};

bool fetch_page(Cpu& cpu, u64 linear, FetchPage& out) {
  Mapping m;
  const WalkAccess access{.write = false, .fetch = true, .user = cpu.cpl() == 3};
  if (!cpu.tlbs->translate(cpu, linear, access, m)) return false;
  out.pa = m.pa & ~kPageMask;
  out.host = cpu.mem->page(out.pa);
  return true;
}

// Offset of RIP checks. SDM 3A 5.3 "Limit Checking"; canonical in 64-bit mode.
bool fetch_allowed(Cpu& cpu) {
  if (cpu.code64()) {
    if (canonical(cpu, cpu.rip)) return true;
  } else if (cpu.rip <= cpu.seg[1].limit) {
    return true;
  }
  cpu.raise_gp(0);
  return false;
}

// What an instruction does with the arithmetic flags. `looks`: reads some, or may fault or leave
// the block, where all must be right.
struct FlagUse {
  u64 writes = 0;  // always, whatever the operands are
  bool looks = true;
};

FlagUse flag_use(const Decoded& d) {
  FlagUse use;
  const ZydisAccessedFlags* flags = d.zydis.cpu_flags;
  const Insn& in = d.insn;
  const bool registers_only = in.form == Form::RR || in.form == Form::RI || in.form == Form::R;
  const bool lea = d.zydis.mnemonic == ZYDIS_MNEMONIC_LEA;
  // Rotates are cold until their flags are found dead.
  const bool cold = in.h == handlers::cold() && !hot::writes_flags_sometimes(d.zydis.mnemonic);
  if (cold || !(registers_only || lea)) return use;
  if (flags == nullptr) {
    use.looks = false;
    return use;
  }
  use.looks = (flags->tested & rflags::Arithmetic) != 0;
  use.writes =
      (flags->modified | flags->set_0 | flags->set_1 | flags->undefined) & rflags::Arithmetic;
  if (hot::writes_flags_sometimes(d.zydis.mnemonic)) use.writes = 0;
  return use;
}

// Builds one block.
class Builder {
 public:
  Builder(Cpu& cpu, u64 linear, const FetchPage& page)
      : cpu_(cpu), linear_(linear), page_(page), start_(static_cast<u32>(linear & kPageMask)) {
    // Behind the last byte that may be fetched without another limit check.
    const u64 limit_left = cpu.code64() ? kPageSize : u64{cpu.seg[1].limit} - cpu.rip + 1;
    limit_offset_ = start_ + std::min<u64>(limit_left, 2 * kPageSize);
  }

  Insn* build(const BlockKey& key);
  // Bytes that do not come from RAM are read anew each time.
  bool cacheable() const { return page_.host != nullptr && (!crossed_ || second_.host != nullptr); }

 private:
  bool add_instruction();
  bool add_crossing();
  void add_fault(Vector vector, unsigned length);
  bool finish_instruction(Decoded& d);
  const u8* page_bytes(unsigned available);
  void drop_dead_flags();
  void fuse();
  void add_block_end();
  void add_link_stubs();

  Cpu& cpu_;
  u64 linear_;
  FetchPage page_;
  u32 start_;
  u64 limit_offset_ = 0;
  u32 offset_ = 0;  // of the next instruction in the page
  Insn* first_ = nullptr;
  u32 used_ = 0;        // Insns, guard and stubs included
  u16 count_ = 0;       // instructions
  bool ended_ = false;  // nothing may follow
  bool crossed_ = false;
  FetchPage second_;
  u32 second_last_ = 0;
  u8 fetched_[2 * kMaxInsnBytes] = {};
  hot::Request requests_[kMaxBlockInsns];
  FlagUse flag_uses_[kMaxBlockInsns];
};

const u8* Builder::page_bytes(unsigned available) {
  if (page_.host != nullptr) return page_.host + offset_;
  for (unsigned i = 0; i < available; ++i) {
    fetched_[i] = static_cast<u8>(cpu_.mem->read_any(page_.pa + offset_ + i, 1));
  }
  return fetched_;
}

void Builder::add_fault(Vector vector, unsigned length) {
  requests_[count_] = hot::Request{};
  flag_uses_[count_] = FlagUse{};
  Insn& in = first_[used_++];
  in = Insn{};
  in.pofs = static_cast<u16>(offset_);
  in.len = static_cast<u8>(length);
  in.cnt = ++count_;
  bind_fault(in, vector);
  offset_ += length;
  ended_ = true;
}

bool Builder::finish_instruction(Decoded& d) {
  const BindContext context{cpu_.mode, *cpu_.isa, cpu_.features};
  ended_ = bind(context, d);
  requests_[count_] = d.request;
  flag_uses_[count_] = flag_use(d);
  if (offset_ + d.insn.len > limit_offset_) {
    add_fault(Vector::GP, d.insn.len);
    return true;
  }
  d.insn.cnt = ++count_;
  first_[used_++] = d.insn;
  offset_ += d.insn.len;
  return true;
}

// An instruction that continues on the next page is a block of its own behind a guard.
bool Builder::add_crossing() {
  if (count_ != 0) {
    ended_ = true;  // falls into a block of its own
    return true;
  }
  const unsigned here = static_cast<unsigned>(kPageSize - offset_);
  u8 bytes[2 * kMaxInsnBytes] = {};
  std::memcpy(bytes, page_bytes(here), here);
  Decoded d;
  // A fault of the prefix alone (too long) comes before the fetch of the next page.
  if (limit_offset_ <= kPageSize) {
    add_fault(Vector::GP, here);
    return true;
  }
  if (!fetch_page(cpu_, linear_ + here, second_)) return false;
  for (unsigned i = 0; i < kMaxInsnBytes; ++i) {
    bytes[here + i] = second_.host != nullptr
                          ? second_.host[i]
                          : static_cast<u8>(cpu_.mem->read_any(second_.pa + i, 1));
  }
  crossed_ = true;
  const DecodeStatus status =
      decode(bytes, kMaxInsnBytes, cpu_.mode, cpu_.features, static_cast<u16>(offset_), d);
  if (second_.host != nullptr) {
    Insn& guard = first_[used_++];
    guard = Insn{};
    guard.h = guard.slow = handlers::cross_guard();
    guard.pofs = static_cast<u16>(offset_);
    guard.imm = static_cast<i64>(reinterpret_cast<u64>(second_.host));
  }
  if (status != DecodeStatus::Ok) {
    add_fault(status == DecodeStatus::Invalid ? Vector::UD : Vector::GP, kMaxInsnBytes);
  } else {
    finish_instruction(d);
  }
  second_last_ = static_cast<u32>(std::max<u64>(offset_, kPageSize + 1) - kPageSize - 1);
  ended_ = true;
  return true;
}

bool Builder::add_instruction() {
  const unsigned here = static_cast<unsigned>(kPageSize - offset_);
  const unsigned available = std::min(here, kMaxInsnBytes);
  Decoded d;
  switch (decode(page_bytes(available), available, cpu_.mode, cpu_.features,
                 static_cast<u16>(offset_), d)) {
    case DecodeStatus::Ok:
      return finish_instruction(d);
    case DecodeStatus::NeedMore:
      if (available < kMaxInsnBytes) return add_crossing();
      [[fallthrough]];
    case DecodeStatus::TooLong:
      add_fault(Vector::GP, available);
      return true;
    case DecodeStatus::Invalid:
      add_fault(Vector::UD, 1);
      return true;
  }
  return false;
}

// Instructions whose flags nothing can see get handlers that leave them alone.
void Builder::drop_dead_flags() {
  u64 overwritten = 0;  // by the instructions behind, before anything looks
  for (u32 i = count_; i-- > 0;) {
    hot::Request& q = requests_[i];
    const FlagUse& use = flag_uses_[i];
    const u64 written =
        use.writes | (hot::writes_flags_sometimes(q.mnemonic) ? rflags::Arithmetic : 0);
    if (!use.looks && written != 0 && (written & ~overwritten) == 0) {
      q.flags_dead = true;
      hot::rebind(q, first_[i]);
    }
    overwritten = use.looks ? 0 : overwritten | use.writes;
  }
}

// Pairs of a flag-setting instruction and a Jcc become one handler.
void Builder::fuse() {
  for (u32 i = 0; i + 1 < used_; ++i) {
    Insn& in = first_[i];
    if (in.slow == nullptr || in.h == handlers::cold()) continue;
    const hot::Bound b = hot::bind_fused(requests_[i], requests_[i + 1]);
    if (b.fast != nullptr) in.h = b.fast;
  }
  // Then neighbours, the fused ones included; the second keeps its own handler for whoever enters
  // there.
  for (u32 i = 0; i + 1 < used_; ++i) {
    if (const Handler h = hot::find_pair(first_[i].h, first_[i + 1].h)) {
      first_[i].h = h;
      ++i;
    }
  }
}

void Builder::add_block_end() {
  Insn& end = first_[used_++];
  end = Insn{};
  end.h = end.slow = handlers::block_end();
  end.pofs = static_cast<u16>(offset_);
  end.imm = offset_;
  end.cnt = count_;
  if (offset_ < kPageSize && !crossed_ && (cpu_.mode & mode::kFlatCode) != 0) {
    end.flags = insn_flag::kSamePage;
  }
}

void Builder::add_link_stubs() {
  const u32 last = used_;
  for (u32 i = 0; i < last; ++i) {
    Insn& branch = first_[i];
    if ((branch.flags & insn_flag::kSamePage) == 0) continue;
    Insn& stub = first_[used_++];
    stub = Insn{};
    stub.h = stub.slow = handlers::link_stub();
    stub.imm = branch.imm;
    stub.link = &branch;
    branch.link = &stub;
  }
}

Insn* Builder::build(const BlockKey& key) {
  first_ = cpu_.code->reserve(2 * kMaxBlockInsns + 4);
  offset_ = start_;
  const unsigned most = (cpu_.mode & mode::kOneInsn) != 0 ? 1 : kMaxBlockInsns;
  while (!ended_ && count_ < most && offset_ < kPageSize) {
    if (!add_instruction()) return nullptr;
  }
  const u32 last = static_cast<u32>(std::min<u64>(offset_, kPageSize)) - 1;
  if (!crossed_ && (cpu_.mode & mode::kOneInsn) == 0) {
    drop_dead_flags();
    fuse();
  }
  add_block_end();
  add_link_stubs();
  if (cacheable()) {
    cpu_.code->commit(key, first_, used_, start_, std::max(last, start_), second_.pa, second_last_);
  } else {
    cpu_.code->keep(used_);
  }
  return first_;
}

}  // namespace

Insn* find_block(Cpu& cpu, bool fresh) {
  if (!fetch_allowed(cpu)) return nullptr;
  const u64 linear = cpu.code64() ? cpu.rip
                     : cpu.long_mode() || cpu.protected_mode()
                         ? static_cast<u32>(cpu.seg[1].base + cpu.rip)
                         : cpu.seg[1].base + cpu.rip;
  FetchPage page;
  if (!fetch_page(cpu, linear, page)) return nullptr;
  const bool flat = (cpu.mode & mode::kFlatCode) != 0;
  const BlockKey key{page.pa | (linear & kPageMask), cpu.mode, flat ? ~u32{0} : cpu.seg[1].limit};
  Insn* insn = fresh || page.host == nullptr ? nullptr : cpu.code->find(key);
  bool cacheable = true;
  if (insn == nullptr) {
    Builder builder(cpu, linear, page);
    insn = builder.build(key);
    if (insn == nullptr) return nullptr;
    cacheable = builder.cacheable();
  }
  cpu.r[slot::kCodePage] = linear & ~kPageMask;
  if (flat && cacheable) {
    cpu.jumps[(linear ^ (linear >> 12)) & (kJumpEntries - 1)] = {linear, cpu.jump_tag, insn};
  }
  return insn;
}

}  // namespace softvt
