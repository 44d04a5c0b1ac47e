// Moves of MMX registers and EMMS. SDM 1 9.4.1, 9.4.9, 11.4.3.
#include "cpu/simd/operands.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

template <class T>
Step load_gpr(Cpu& cpu, const Insn& in) {
  T value;
  if (!fetch_gpr(cpu, in, value)) return Step::Fault;
  enter_mmx(cpu);
  put_mmx(cpu, in.dst, value);
  return Step::Next;
}
template <class T>
Step store_gpr(Cpu& cpu, const Insn& in) {
  const T value = static_cast<T>(get_mmx(cpu, in.src));
  if (!put_gpr_or_memory(cpu, in, value)) return Step::Fault;
  enter_mmx(cpu);
  return Step::Next;
}

constexpr u8 kLoadFromGpr = 0x6e, kStoreToGpr = 0x7e;

Step movd(Cpu& cpu, const Insn& in) {
  if (!no_x87_exception(cpu)) return Step::Fault;
  return in.opcode == kLoadFromGpr ? load_gpr<u32>(cpu, in) : store_gpr<u32>(cpu, in);
}

// 6F, 7F between MMX registers and memory; 6E, 7E with REX.W for general registers. MOVNTQ is a
// store as the others.
Step movq(Cpu& cpu, const Insn& in) {
  if (!no_x87_exception(cpu)) return Step::Fault;
  if (in.opcode == kLoadFromGpr) return load_gpr<u64>(cpu, in);
  if (in.opcode == kStoreToGpr || in.form == Form::MR) return store_gpr<u64>(cpu, in);
  u64 value;
  if (!fetch_mmx(cpu, in, value)) return Step::Fault;
  enter_mmx(cpu);
  put_mmx(cpu, in.dst, value);
  return Step::Next;
}

Step movq2dq(Cpu& cpu, const Insn& in) {
  if (!no_x87_exception(cpu)) return Step::Fault;
  enter_mmx(cpu);
  put_xmm(cpu, in.dst, make_vec(get_mmx(cpu, in.src)));
  return Step::Next;
}

Step movdq2q(Cpu& cpu, const Insn& in) {
  if (!no_x87_exception(cpu)) return Step::Fault;
  enter_mmx(cpu);
  put_mmx(cpu, in.dst, cpu.xmm[in.src & 15].q[0]);
  return Step::Next;
}

// All registers become empty and TOP 0. SDM 3A 12.2, table 12-1.
Step emms(Cpu& cpu, const Insn&) {
  if (!no_x87_exception(cpu)) return Step::Fault;
  enter_mmx(cpu);
  cpu.fpu.tag_valid = 0;
  return Step::Next;
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_MOVD, movd, Feature::Mmx, Unit::Mmx},
    {ZYDIS_MNEMONIC_MOVQ, movq, Feature::Mmx, Unit::Mmx},
    {ZYDIS_MNEMONIC_MOVNTQ, movq, Feature::Sse, Unit::Mmx},
    {ZYDIS_MNEMONIC_EMMS, emms, Feature::Mmx, Unit::Mmx},
    {ZYDIS_MNEMONIC_MOVQ2DQ, movq2dq, Feature::Sse2, Unit::Sse},
    {ZYDIS_MNEMONIC_MOVDQ2Q, movdq2q, Feature::Sse2, Unit::Sse},
};

}  // namespace

std::span<const InsnRow> mmx_rows() { return kRows; }

}  // namespace softvt::simd
