// SIMD floating point on the host's SSE unit under the guest's MXCSR.
// SDM 1 11.5 "SSE and SSE2 Exceptions", 10.2.3 "MXCSR Control and Status Register".
#pragma once
#include "cpu/cpu.h"
#include "cpu/simd/operands.h"

namespace softvt::simd {

namespace mxcsr {
constexpr u32 IE = 1 << 0, DE = 1 << 1, ZE = 1 << 2, OE = 1 << 3, UE = 1 << 4, PE = 1 << 5;
constexpr u32 Flags = 0x3f, PreComputation = IE | DE | ZE;
constexpr u32 DAZ = 1 << 6, FTZ = 1 << 15;
constexpr unsigned MaskShift = 7;  // of the mask bits over the flag bits
constexpr u32 Masks = Flags << MaskShift, RoundingShift = 13;
constexpr u32 Default = Masks;    // round to nearest, everything masked
constexpr u32 Writable = 0xffff;  // MXCSR_MASK of FXSAVE
}  // namespace mxcsr

inline u32 read_host_mxcsr() {
  u32 value;
  asm volatile("stmxcsr %0" : "=m"(value));
  return value;
}
inline void write_host_mxcsr(u32 value) { asm volatile("ldmxcsr %0" : : "m"(value)); }

inline u32 unmasked_exceptions(u32 mxcsr) { return ~(mxcsr >> mxcsr::MaskShift) & mxcsr::Flags; }

// Executes `operation` (host_ops.h, volatile assembly) with the guest's rounding, DAZ and FTZ, all
// exceptions masked; returns the exception flags it set.
template <class Operation>
u32 run_on_host(u32 guest, Operation operation) {
  const u32 host = read_host_mxcsr();
  u32 control = (guest & ~mxcsr::Flags & mxcsr::Writable) | mxcsr::Masks;
  if ((guest & mxcsr::Masks) == mxcsr::Masks && control == mxcsr::Default) {
    // The usual case costs no write: flags left in the host's register do no harm if the guest has
    // them set already.
    if ((host & ~(guest & mxcsr::Flags)) != mxcsr::Default) write_host_mxcsr(mxcsr::Default);
    operation();
    return read_host_mxcsr() & mxcsr::Flags;
  }
  // FTZ works only while underflow is masked. SDM 1 10.2.3.3.
  if (unmasked_exceptions(guest) & mxcsr::UE) control &= ~mxcsr::FTZ;
  write_host_mxcsr(control);
  operation();
  const u32 flags = read_host_mxcsr() & mxcsr::Flags;
  write_host_mxcsr(mxcsr::Default);
  return flags;
}

// How the elements of a result come from the operands; needed where overflow or underflow is
// unmasked, since then PE and UE follow other rules than in the host's masked run.
enum class LaneKind : u8 { None, Add, Sub, Mul, Div, AddSub, HorizontalAdd, HorizontalSub, Narrow };
struct LaneRule {
  LaneKind kind = LaneKind::None;
  bool single = false;
  u8 lanes = 0;  // elements of the result
};

// Adds the flags of an operation to MXCSR. False: an unmasked exception is posted and the
// destination must not be written. `flags` come from run_on_host on `dst` and `src`.
bool settle_unmasked(Cpu& cpu, u32 flags, LaneRule rule, const Vec& dst, const Vec& src);

inline bool settle(Cpu& cpu, u32 flags, LaneRule rule = {}, const Vec& dst = Vec{},
                   const Vec& src = Vec{}) {
  if (unmasked_exceptions(cpu.mxcsr) != 0) [[unlikely]] {
    return settle_unmasked(cpu, flags, rule, dst, src);
  }
  cpu.mxcsr |= flags;
  return true;
}

// dst = Op(dst, src) with all of the above. False: exception posted, dst not to be used.
template <HostOp Op, LaneRule Rule = LaneRule{}>
bool compute(Cpu& cpu, Vec& dst, const Vec& src) {
  const Vec old = dst;
  const u32 flags = run_on_host(cpu.mxcsr, [&] { Op(dst, src); });
  return settle(cpu, flags, Rule, old, src);
}

// The shape of most floating-point instructions.
template <HostOp Op, unsigned Bytes = 16, LaneRule Rule = LaneRule{}>
Step float_op(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!fetch_xmm<Bytes>(cpu, in, src)) return Step::Fault;
  Vec dst = get_xmm(cpu, in.dst);
  if (!compute<Op, Rule>(cpu, dst, src)) return Step::Fault;
  put_xmm(cpu, in.dst, dst);
  return Step::Next;
}

// The same with an immediate.
template <class Op, unsigned Mask, unsigned Bytes = 16>
Step float_imm_op(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!fetch_xmm<Bytes>(cpu, in, src)) return Step::Fault;
  Vec dst = get_xmm(cpu, in.dst);
  const u32 flags = run_on_host(cpu.mxcsr, [&] { apply_imm<Op, Mask>(in.imm, dst, src); });
  if (!settle(cpu, flags)) return Step::Fault;
  put_xmm(cpu, in.dst, dst);
  return Step::Next;
}

}  // namespace softvt::simd
