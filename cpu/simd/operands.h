// Operands of MMX and SSE instructions: registers and memory, alignment, the state MMX shares with
// the x87.
#pragma once
#include <emmintrin.h>

#include <cstring>

#include "cpu/access.h"
#include "cpu/cpu.h"
#include "cpu/simd/host_ops.h"

namespace softvt::simd {

inline Vec get_xmm(const Cpu& cpu, u8 n) {
  return _mm_load_si128(reinterpret_cast<const Vec*>(&cpu.xmm[n & 15]));
}
inline void put_xmm(Cpu& cpu, u8 n, const Vec& v) {
  _mm_store_si128(reinterpret_cast<Vec*>(&cpu.xmm[n & 15]), v);
}

inline Xmm to_lanes(const Vec& v) {
  Xmm x;
  std::memcpy(&x, &v, sizeof(x));
  return x;
}
inline Vec to_vec(const Xmm& x) {
  Vec v;
  std::memcpy(&v, &x, sizeof(v));
  return v;
}
inline Vec make_vec(u64 low, u64 high = 0) {
  return _mm_set_epi64x(static_cast<i64>(high), static_cast<i64>(low));
}
inline u64 low64(const Vec& v) { return to_lanes(v).q[0]; }
inline u64 high64(const Vec& v) { return to_lanes(v).q[1]; }

inline u8 imm8(const Insn& in) { return static_cast<u8>(in.imm); }

// 16-byte memory operands must lie on a 16-byte boundary, except those of the unaligned moves, of
// LDDQU and of the string comparisons. SDM 2A 2.4 "AVX and SSE Instruction Exception
// Classification", types 2 and 4.
enum class Align : u8 { Any, Natural };

template <unsigned Bytes, Align A>
bool memory_address(Cpu& cpu, const Insn& in, Access access, u64& linear) {
  linear = 0;
  if (!operand_address(cpu, in, Bytes, access, linear)) {
    // The alignment counts first where the address is not canonical either: #GP even for SS.
    if (Bytes == 16 && A == Align::Natural && (linear & 15) != 0 && cpu.code64()) cpu.raise_gp(0);
    return false;
  }
  if (Bytes == 16 && A == Align::Natural && (linear & 15) != 0) {
    cpu.raise_gp(0);
    return false;
  }
  return true;
}

template <unsigned Bytes, Align A = Align::Natural>
bool load_vec(Cpu& cpu, const Insn& in, Vec& out) {
  u64 linear;
  Xmm value{};
  if (!memory_address<Bytes, A>(cpu, in, Access::Read, linear) ||
      !read_linear(cpu, linear, &value, Bytes)) {
    return false;
  }
  out = to_vec(value);
  return true;
}

template <unsigned Bytes, Align A = Align::Natural>
bool store_vec(Cpu& cpu, const Insn& in, const Vec& value) {
  u64 linear;
  const Xmm bytes = to_lanes(value);
  return memory_address<Bytes, A>(cpu, in, Access::Write, linear) &&
         write_linear(cpu, linear, &bytes, Bytes);
}

// The second operand: XMM register, or `Bytes` of memory with zeros above.
template <unsigned Bytes = 16, Align A = Align::Natural>
bool fetch_xmm(Cpu& cpu, const Insn& in, Vec& out) {
  if (in.form == Form::RM) return load_vec<Bytes, A>(cpu, in, out);
  out = get_xmm(cpu, in.src);
  return true;
}

// The second operand where it is a general register or memory of type T.
template <class T>
bool fetch_gpr(Cpu& cpu, const Insn& in, T& out) {
  if (in.form == Form::RM) return load_operand(cpu, in, out);
  out = get_reg<T>(cpu, in.src);
  return true;
}
// The first operand where it is a general register (of which the upper bits are cleared) or memory.
template <class T>
bool put_gpr_or_memory(Cpu& cpu, const Insn& in, T value) {
  if (in.form == Form::MR) return store_operand(cpu, in, value);
  put_reg<u64>(cpu, in.dst, value);
  return true;
}
inline bool wide(const Insn& in) { return (in.prefixes & prefix::kRexW) != 0; }

// ---- MMX ---------------------------------------------------------------------------------------

inline u64 get_mmx(const Cpu& cpu, u8 n) { return cpu.fpu.st[n & 7].significand; }
// SDM 1 9.6.2 "Transitions between x87 FPU and MMX Code", 9.5.1: the exponent becomes all ones.
inline void put_mmx(Cpu& cpu, u8 n, u64 value) {
  cpu.fpu.st[n & 7].significand = value;
  cpu.fpu.st[n & 7].sign_exponent = 0xffff;
}

// Every MMX instruction but EMMS sets TOP to 0 and marks all registers valid. SDM 3A 12.2 "The MMX
// State and MMX Register Aliasing", table 12-1.
inline void enter_mmx(Cpu& cpu) {
  constexpr u16 kTop = 7 << 11;
  cpu.fpu.fsw &= static_cast<u16>(~kTop);
  cpu.fpu.tag_valid = 0xff;
}

// An x87 exception that waits is reported before an MMX instruction. SDM 3A 13.5. With CR0.NE clear
// it goes out by the FERR# pin and the instruction is executed. False: #MF is posted.
inline bool no_x87_exception(Cpu& cpu) {
  constexpr u16 kErrorSummary = 1 << 7;
  if ((cpu.fpu.fsw & kErrorSummary) == 0 || (cpu.cr0 & cr0::NE) == 0) return true;
  cpu.raise(Vector::MF);
  return false;
}

// The second operand: MMX register or `Bytes` of memory.
template <unsigned Bytes = 8>
bool fetch_mmx(Cpu& cpu, const Insn& in, u64& out) {
  if (in.form == Form::RM) {
    Vec v;
    if (!load_vec<Bytes>(cpu, in, v)) return false;
    out = low64(v);
  } else {
    out = get_mmx(cpu, in.src);
  }
  return true;
}

// ---- the usual shapes of instructions
// -------------------------------------------------------------

// dst = Op(dst, src) on XMM registers; `Bytes` is the size of a memory source.
template <HostOp Op, unsigned Bytes = 16, Align A = Align::Natural>
Step xmm_op(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!fetch_xmm<Bytes, A>(cpu, in, src)) return Step::Fault;
  Vec dst = get_xmm(cpu, in.dst);
  Op(dst, src);
  put_xmm(cpu, in.dst, dst);
  return Step::Next;
}

// The same with an immediate.
template <class Op, unsigned Mask = 0xff>
Step xmm_imm_op(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!fetch_xmm<16>(cpu, in, src)) return Step::Fault;
  Vec dst = get_xmm(cpu, in.dst);
  apply_imm<Op, Mask>(in.imm, dst, src);
  put_xmm(cpu, in.dst, dst);
  return Step::Next;
}

// dst = Function(in, dst, src) on MMX registers.
template <u64 (*Function)(const Insn&, u64 dst, u64 src), unsigned Bytes = 8>
Step mmx_function(Cpu& cpu, const Insn& in) {
  u64 src;
  if (!no_x87_exception(cpu) || !fetch_mmx<Bytes>(cpu, in, src)) return Step::Fault;
  const u64 result = Function(in, get_mmx(cpu, in.dst), src);
  enter_mmx(cpu);
  put_mmx(cpu, in.dst, result);
  return Step::Next;
}

// The MMX form of an operation whose low half depends on the low halves of its operands alone.
template <HostOp Op>
u64 in_low_half(const Insn&, u64 dst, u64 src) {
  Vec d = make_vec(dst);
  Op(d, make_vec(src));
  return low64(d);
}
template <HostOp Op, unsigned Bytes = 8>
Step mmx_op(Cpu& cpu, const Insn& in) {
  return mmx_function<in_low_half<Op>, Bytes>(cpu, in);
}

// Packs and horizontal operations take neighbours: with both MMX operands side by side in one
// register the low half of the XMM operation is the result.
template <HostOp Op>
u64 side_by_side(const Insn&, u64 dst, u64 src) {
  Vec d = make_vec(dst, src);
  Op(d, d);
  return low64(d);
}
template <HostOp Op>
Step mmx_pair_op(Cpu& cpu, const Insn& in) {
  return mmx_function<side_by_side<Op>>(cpu, in);
}

}  // namespace softvt::simd
