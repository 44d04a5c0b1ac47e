// Memory access of hot handlers: three fast ways to form an address, each with one TLB compare,
// and the slow way that handles everything.
#pragma once
#include "cpu/access.h"
#include "cpu/core/shell.h"

namespace softvt::hot {

template <class T>
SOFTVT_INLINE T reg(const State& s, u8 offset) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const u8*>(s.cpu->r) + offset);
}
template <class T>
SOFTVT_INLINE void set_reg(State& s, u8 offset, T v) {
  if constexpr (sizeof(T) == 4) {
    *reinterpret_cast<u64*>(reinterpret_cast<u8*>(s.cpu->r) + offset) = v;
  } else {
    *reinterpret_cast<T*>(reinterpret_cast<u8*>(s.cpu->r) + offset) = v;
  }
}

// 64-bit addressing, no index, no segment base.
struct BaseDisp {
  SOFTVT_INLINE static u64 address(const State& s) {
    return reg<u64>(s, s.ip->base) + static_cast<u64>(i64{s.ip->disp});
  }
};
// 64-bit addressing with everything.
struct Full64 {
  SOFTVT_INLINE static u64 address(const State& s) {
    return reg<u64>(s, s.ip->segslot) + reg<u64>(s, s.ip->base) +
           (reg<u64>(s, s.ip->idx) << s.ip->scale) + static_cast<u64>(i64{s.ip->disp});
  }
};
// 32-bit addressing on flat segments, or with an address-size prefix in 64-bit mode.
struct Flat32 {
  SOFTVT_INLINE static u64 address(const State& s) {
    return reg<u64>(s, s.ip->segslot) +
           static_cast<u32>(reg<u64>(s, s.ip->base) + (reg<u64>(s, s.ip->idx) << s.ip->scale) +
                            static_cast<u64>(i64{s.ip->disp}));
  }
};

template <class T>
SOFTVT_INLINE bool tag_matches(u64 va, u64 tag) {
  return ((va + sizeof(T) - 1) & ~kPageMask) == tag;
}

// Access through the TLB; a miss makes the shell run the slow twin.
template <class Address>
struct Fast {
  static constexpr R kFail = R::Slow;
  static constexpr bool kIsSlow = false;
  template <class T>
  SOFTVT_INLINE static bool load_at(State& s, u64 va, T& out) {
    const TlbEntry& e = s.cpu->tlb[tlb_index(va)];
    if (!tag_matches<T>(va, e.r)) [[unlikely]]
      return false;
    __builtin_memcpy(&out, reinterpret_cast<const void*>(va + e.addend), sizeof(T));
    return true;
  }
  template <class T>
  SOFTVT_INLINE static bool store_at(State& s, u64 va, T v) {
    const TlbEntry& e = s.cpu->tlb[tlb_index(va)];
    if (!tag_matches<T>(va, e.w)) [[unlikely]]
      return false;
    __builtin_memcpy(reinterpret_cast<void*>(va + e.addend), &v, sizeof(T));
    return true;
  }
  template <class T>
  SOFTVT_INLINE static bool load(State& s, T& out) {
    return load_at(s, Address::address(s), out);
  }
  template <class T>
  SOFTVT_INLINE static bool store(State& s, T v) {
    return store_at(s, Address::address(s), v);
  }
  // Read-modify-write: `at` is kept between the two halves.
  template <class T>
  SOFTVT_INLINE static bool open(State& s, u64& at, T& out) {
    const u64 va = Address::address(s);
    const TlbEntry& e = s.cpu->tlb[tlb_index(va)];
    if (!tag_matches<T>(va, e.w)) [[unlikely]]
      return false;
    at = va + e.addend;
    __builtin_memcpy(&out, reinterpret_cast<const void*>(at), sizeof(T));
    return true;
  }
  template <class T>
  SOFTVT_INLINE static void close(State&, u64 at, T v) {
    __builtin_memcpy(reinterpret_cast<void*>(at), &v, sizeof(T));
  }
  // 64-bit stack.
  SOFTVT_INLINE static bool stack_load(State& s, u64 va, u64& out) { return load_at(s, va, out); }
  SOFTVT_INLINE static bool stack_store(State& s, u64 va, u64 v) { return store_at(s, va, v); }
};

// Out-of-line accesses with every check. Values travel through Cpu::slow_value and slow_linear, so
// that no local's address escapes from a handler. False: a fault is posted.
bool slow_load(Cpu& cpu, const Insn* ip, unsigned size);
bool slow_store(Cpu& cpu, const Insn* ip, unsigned size, u64 value);
bool slow_open(Cpu& cpu, const Insn* ip, unsigned size);
void slow_close(Cpu& cpu, unsigned size, u64 value);
bool slow_stack_load(Cpu& cpu, u64 linear);
bool slow_stack_store(Cpu& cpu, u64 linear, u64 value);

struct Slow {
  static constexpr R kFail = R::Fault;
  static constexpr bool kIsSlow = true;
  SOFTVT_INLINE static void enter(State& s) {
    spill(s);
    s.cpu->current = s.ip;
  }
  template <class T>
  SOFTVT_INLINE static bool load(State& s, T& out) {
    enter(s);
    const bool ok = slow_load(*s.cpu, s.ip, sizeof(T));
    out = static_cast<T>(s.cpu->slow_value);
    return ok;
  }
  template <class T>
  SOFTVT_INLINE static bool store(State& s, T v) {
    enter(s);
    return slow_store(*s.cpu, s.ip, sizeof(T), v);
  }
  template <class T>
  SOFTVT_INLINE static bool open(State& s, u64& at, T& out) {
    enter(s);
    const bool ok = slow_open(*s.cpu, s.ip, sizeof(T));
    at = 0;
    out = static_cast<T>(s.cpu->slow_value);
    return ok;
  }
  template <class T>
  SOFTVT_INLINE static void close(State& s, u64, T v) {
    slow_close(*s.cpu, sizeof(T), v);
  }
  SOFTVT_INLINE static bool stack_load(State& s, u64 va, u64& out) {
    enter(s);
    const bool ok = slow_stack_load(*s.cpu, va);
    out = s.cpu->slow_value;
    return ok;
  }
  SOFTVT_INLINE static bool stack_store(State& s, u64 va, u64 v) {
    enter(s);
    return slow_stack_store(*s.cpu, va, v);
  }
};

// End of a body that went to memory.
template <class Mem>
SOFTVT_INLINE R done(State& s) {
  if constexpr (Mem::kIsSlow) return next_checked(s);
  return R::Next;
}

}  // namespace softvt::hot
