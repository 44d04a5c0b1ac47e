// Moves of XMM registers: whole, halves, single elements, and with hints that softvt's memory does
// not need. SDM 1 10.4.1.1, 10.4.6, 11.4.1.1.
#include "cpu/simd/operands.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

template <Align A>
Step move_whole(Cpu& cpu, const Insn& in) {
  if (in.form == Form::MR) {
    return store_vec<16, A>(cpu, in, get_xmm(cpu, in.src)) ? Step::Next : Step::Fault;
  }
  Vec v;
  if (!fetch_xmm<16, A>(cpu, in, v)) return Step::Fault;
  put_xmm(cpu, in.dst, v);
  return Step::Next;
}

// MOVSS, MOVSD: a load clears the rest of the register, a register move keeps it.
template <class Element>
Step move_scalar(Cpu& cpu, const Insn& in) {
  constexpr unsigned kBytes = sizeof(Element);
  if (in.form == Form::MR) {
    return store_vec<kBytes>(cpu, in, get_xmm(cpu, in.src)) ? Step::Next : Step::Fault;
  }
  Vec v;
  if (!fetch_xmm<kBytes>(cpu, in, v)) return Step::Fault;
  if (in.form == Form::RM) {
    put_xmm(cpu, in.dst, v);
  } else {
    std::memcpy(&cpu.xmm[in.dst & 15], &v, kBytes);
  }
  return Step::Next;
}

// MOVLPS, MOVHPS and the forms for doubles: one half and memory.
template <unsigned Half>
Step move_half(Cpu& cpu, const Insn& in) {
  if (in.form == Form::MR) {
    return store_operand<u64>(cpu, in, cpu.xmm[in.src & 15].q[Half]) ? Step::Next : Step::Fault;
  }
  u64 value;
  if (!load_operand(cpu, in, value)) return Step::Fault;
  cpu.xmm[in.dst & 15].q[Half] = value;
  return Step::Next;
}

Step movhlps(Cpu& cpu, const Insn& in) {
  cpu.xmm[in.dst & 15].q[0] = cpu.xmm[in.src & 15].q[1];
  return Step::Next;
}
Step movlhps(Cpu& cpu, const Insn& in) {
  cpu.xmm[in.dst & 15].q[1] = cpu.xmm[in.src & 15].q[0];
  return Step::Next;
}

// 6E: XMM <- general register or memory; 7E: the reverse.
constexpr u8 kLoadFromGpr = 0x6e, kStoreToGpr = 0x7e;

template <class T>
Step from_gpr(Cpu& cpu, const Insn& in) {
  T value;
  if (!fetch_gpr(cpu, in, value)) return Step::Fault;
  put_xmm(cpu, in.dst, make_vec(value));
  return Step::Next;
}
template <class T>
Step to_gpr(Cpu& cpu, const Insn& in) {
  const T value = static_cast<T>(cpu.xmm[in.src & 15].q[0]);
  return put_gpr_or_memory(cpu, in, value) ? Step::Next : Step::Fault;
}

Step movd(Cpu& cpu, const Insn& in) {
  return in.opcode == kLoadFromGpr ? from_gpr<u32>(cpu, in) : to_gpr<u32>(cpu, in);
}

// MOVQ has general-register forms (66 REX.W 6E, 66 REX.W 7E) and its own (F3 7E load, 66 D6 store),
// of which the register-to-register move clears the upper half.
Step movq(Cpu& cpu, const Insn& in) {
  if (in.opcode == kLoadFromGpr) return from_gpr<u64>(cpu, in);
  const bool f3 = (in.prefixes & prefix::kRep) != 0 || !wide(in);
  if (in.form == Form::MR || (in.opcode == kStoreToGpr && !f3 && in.form == Form::RR)) {
    return to_gpr<u64>(cpu, in);
  }
  Vec v;
  if (!fetch_xmm<8>(cpu, in, v)) return Step::Fault;
  put_xmm(cpu, in.dst, make_vec(low64(v)));
  return Step::Next;
}

Step movnti(Cpu& cpu, const Insn& in) {
  const bool done = wide(in) ? store_operand(cpu, in, get_reg<u64>(cpu, in.src))
                             : store_operand(cpu, in, get_reg<u32>(cpu, in.src));
  return done ? Step::Next : Step::Fault;
}

constexpr ColdFn kAligned = move_whole<Align::Natural>, kUnaligned = move_whole<Align::Any>;
constexpr InsnRow row(ZydisMnemonic m, ColdFn fn, Feature f) { return {m, fn, f, Unit::Sse}; }

// clang-format off
constexpr InsnRow kRows[] = {
    row(ZYDIS_MNEMONIC_MOVAPS, kAligned, Feature::Sse),
    row(ZYDIS_MNEMONIC_MOVAPD, kAligned, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MOVDQA, kAligned, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MOVNTPS, kAligned, Feature::Sse),
    row(ZYDIS_MNEMONIC_MOVNTPD, kAligned, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MOVNTDQ, kAligned, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MOVNTDQA, kAligned, Feature::Sse41),
    row(ZYDIS_MNEMONIC_MOVUPS, kUnaligned, Feature::Sse),
    row(ZYDIS_MNEMONIC_MOVUPD, kUnaligned, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MOVDQU, kUnaligned, Feature::Sse2),
    row(ZYDIS_MNEMONIC_LDDQU, kUnaligned, Feature::Sse3),
    row(ZYDIS_MNEMONIC_MOVSS, move_scalar<u32>, Feature::Sse),
    row(ZYDIS_MNEMONIC_MOVSD, move_scalar<u64>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MOVLPS, move_half<0>, Feature::Sse),
    row(ZYDIS_MNEMONIC_MOVLPD, move_half<0>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MOVHPS, move_half<1>, Feature::Sse),
    row(ZYDIS_MNEMONIC_MOVHPD, move_half<1>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MOVHLPS, movhlps, Feature::Sse),
    row(ZYDIS_MNEMONIC_MOVLHPS, movlhps, Feature::Sse),
    row(ZYDIS_MNEMONIC_MOVD, movd, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MOVQ, movq, Feature::Sse2),
    // Of the general registers: neither CR0.EM nor CR4.OSFXSR matter.
    {ZYDIS_MNEMONIC_MOVNTI, movnti, Feature::Sse2, Unit::Integer},
};
// clang-format on

}  // namespace

std::span<const InsnRow> move_rows() { return kRows; }

}  // namespace softvt::simd
