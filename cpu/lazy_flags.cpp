#include "cpu/lazy_flags.h"

namespace softvt::lazy {
namespace {

constexpr u64 of_if(bool on) { return on ? rflags::OF : 0; }

// SF, ZF, PF of a result of `bits` bits.
u64 of_result(u64 dst, unsigned bits) {
  u64 f = 0;
  if (dst == 0) f |= rflags::ZF;
  if ((dst >> (bits - 1)) & 1) f |= rflags::SF;
  if (parity(dst)) f |= rflags::PF;
  return f;
}

}  // namespace

u64 arithmetic(u64 dst, u64 src, u64 cc_op) {
  const auto kind = static_cast<Kind>(cc_op >> 2);
  const unsigned bits = 8u << (cc_op & 3);
  const u64 sign = u64{1} << (bits - 1);
  const u64 mask = sign | (sign - 1);
  u64 f = kind == Explicit ? 0 : of_result(dst, bits);
  switch (kind) {
    case Explicit:
      return src & rflags::Arithmetic;
    case Result:
      return f | (src & (rflags::CF | rflags::AF | rflags::OF));
    case Add: {
      const u64 a = (dst - src) & mask;
      f |= dst < src ? rflags::CF : 0;
      f |= (a ^ src ^ dst) & rflags::AF;
      return f | of_if(((a ^ dst) & (src ^ dst) & sign) != 0);
    }
    case Sub: {
      const u64 b = (src - dst) & mask;
      f |= dst > src ? rflags::CF : 0;
      f |= (src ^ b ^ dst) & rflags::AF;
      return f | of_if(((src ^ b) & (src ^ dst) & sign) != 0);
    }
    case Inc:
      f |= (src & 1) | ((dst & 0xf) == 0 ? rflags::AF : 0);
      return f | of_if(dst == sign);
    case Dec:
      f |= (src & 1) | ((dst & 0xf) == 0xf ? rflags::AF : 0);
      return f | of_if(dst == sign - 1);
  }
  return f;
}

}  // namespace softvt::lazy
