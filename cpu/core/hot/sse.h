// Bodies of the commonest SSE2 moves and integer operations on XMM registers. Everything else, and
// every operand that is not aligned as it must be, goes to the functions of cpu/simd/.
#pragma once
#include <emmintrin.h>

#include "cpu/core/hot/memory.h"

namespace softvt::hot {

SOFTVT_INLINE __m128i xmm_of(const State& s, u8 number) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(&s.cpu->xmm[number]));
}
SOFTVT_INLINE void set_xmm(State& s, u8 number, __m128i v) {
  _mm_store_si128(reinterpret_cast<__m128i*>(&s.cpu->xmm[number]), v);
}

// Memory operands of 16 bytes: null sends the instruction the slow way.
template <class Address>
struct FastXmm {
  SOFTVT_INLINE static const __m128i* load(const State& s, bool aligned) {
    const u64 va = Address::address(s);
    const TlbEntry& e = s.cpu->tlb[tlb_index(va)];
    if (!tag_matches<__m128i>(va, e.r) || (aligned && (va & 15) != 0)) [[unlikely]]
      return nullptr;
    return reinterpret_cast<const __m128i*>(va + e.addend);
  }
  SOFTVT_INLINE static __m128i* store(const State& s, bool aligned) {
    const u64 va = Address::address(s);
    const TlbEntry& e = s.cpu->tlb[tlb_index(va)];
    if (!tag_matches<__m128i>(va, e.w) || (aligned && (va & 15) != 0)) [[unlikely]]
      return nullptr;
    return reinterpret_cast<__m128i*>(va + e.addend);
  }
};

struct XmmMoveRR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_xmm(s, s.ip->dst, xmm_of(s, s.ip->src));
    return R::Next;
  }
};
template <bool kAligned>
struct XmmMoveRM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    const __m128i* p = Mem::load(s, kAligned);
    if (p == nullptr) return R::Slow;
    set_xmm(s, s.ip->dst, _mm_loadu_si128(p));
    return R::Next;
  }
};
template <bool kAligned>
struct XmmMoveMR {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    __m128i* p = Mem::store(s, kAligned);
    if (p == nullptr) return R::Slow;
    _mm_storeu_si128(p, xmm_of(s, s.ip->src));
    return R::Next;
  }
};

// kOperation is a captureless lambda on two __m128i.
template <auto kOperation>
struct XmmBinaryRR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    set_xmm(s, s.ip->dst, kOperation(xmm_of(s, s.ip->dst), xmm_of(s, s.ip->src)));
    return R::Next;
  }
};
template <auto kOperation>
struct XmmBinaryRM {
  template <class Mem>
  SOFTVT_INLINE static R exec(State& s) {
    const __m128i* p = Mem::load(s, true);
    if (p == nullptr) return R::Slow;
    set_xmm(s, s.ip->dst, kOperation(xmm_of(s, s.ip->dst), _mm_loadu_si128(p)));
    return R::Next;
  }
};

template <auto kOperation>
struct XmmShiftRI {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const __m128i count = _mm_cvtsi32_si128(static_cast<u8>(s.ip->imm));
    set_xmm(s, s.ip->dst, kOperation(xmm_of(s, s.ip->dst), count));
    return R::Next;
  }
};

// PSHUFD.
struct XmmShuffleRR {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const Xmm& from = s.cpu->xmm[s.ip->src];
    const auto order = static_cast<unsigned>(s.ip->imm);
    const auto pick = [&](unsigned i) { return static_cast<int>(from.d[order >> (2 * i) & 3]); };
    set_xmm(s, s.ip->dst, _mm_set_epi32(pick(3), pick(2), pick(1), pick(0)));
    return R::Next;
  }
};

}  // namespace softvt::hot
