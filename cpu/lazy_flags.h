// Lazy arithmetic flags: the last flag-setting operation is kept as (result, source, kind and size)
// and flags are computed when someone asks. SDM 1 3.4.3.1 "Status Flags".
//
// cc_op = kind * 4 + log2(size). cc_dst is the result, zero-extended, so ZF == (cc_dst == 0) for
// every kind. Kinds other than Add and Sub keep CF in bit 0 of cc_src:
//   Explicit  cc_src holds all six flags; cc_dst is 0 exactly when ZF
//   Result    ZF, SF, PF from cc_dst; CF, AF, OF at their RFLAGS places in cc_src
//   Add       cc_src = second addend           CF = dst < src
//   Sub       cc_src = minuend                 CF = dst > src
//   Inc, Dec  cc_src bit 0 = CF from before
#pragma once
#include "cpu/bits.h"
#include "cpu/types.h"

namespace softvt::lazy {

enum Kind : u64 { Explicit = 0, Result = 1, Add = 2, Sub = 3, Inc = 4, Dec = 5 };

constexpr u64 op(Kind kind, unsigned size) {
  return kind * 4 + (size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3);
}
template <class T>
constexpr u64 op_of(Kind kind) {
  return op(kind, sizeof(T));
}

[[gnu::always_inline]] inline bool carry(u64 dst, u64 src, u64 cc_op) {
  const u64 kind = cc_op >> 2;
  if (kind == Sub) return dst > src;
  if (kind == Add) return dst < src;
  return (src & 1) != 0;
}

[[gnu::always_inline]] inline bool parity(u64 dst) {
  return !__builtin_parity(static_cast<unsigned>(dst & 0xff));
}

// All six arithmetic flags. Out of line: slow path.
u64 arithmetic(u64 dst, u64 src, u64 cc_op);

inline void set_explicit(u64& dst, u64& src, u64& cc_op, u64 f) {
  src = f & rflags::Arithmetic;
  dst = (f & rflags::ZF) ? 0 : 1;
  cc_op = op(Explicit, 8);
}

}  // namespace softvt::lazy
