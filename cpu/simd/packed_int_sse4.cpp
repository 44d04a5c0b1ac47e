// Packed integers of SSE4.1 and SSE4.2; they have XMM forms alone. SDM 1 12.8, 12.11.
#include "cpu/simd/operands.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

// ZF: no common bit; CF: every bit of src is in dst; the other flags are cleared.
Step ptest(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!fetch_xmm(cpu, in, src)) return Step::Fault;
  const Xmm d = to_lanes(get_xmm(cpu, in.dst)), s = to_lanes(src);
  const bool zf = ((d.q[0] & s.q[0]) | (d.q[1] & s.q[1])) == 0;
  const bool cf = ((~d.q[0] & s.q[0]) | (~d.q[1] & s.q[1])) == 0;
  cpu.set_arithmetic_flags((zf ? rflags::ZF : 0) | (cf ? rflags::CF : 0));
  return Step::Next;
}

constexpr InsnRow row(ZydisMnemonic m, ColdFn fn, Feature f = Feature::Sse41) {
  return {m, fn, f, Unit::Sse};
}

constexpr InsnRow kRows[] = {
    row(ZYDIS_MNEMONIC_PCMPEQQ, xmm_op<host::pcmpeqq>),
    row(ZYDIS_MNEMONIC_PMULDQ, xmm_op<host::pmuldq>),
    row(ZYDIS_MNEMONIC_PMULLD, xmm_op<host::pmulld>),
    row(ZYDIS_MNEMONIC_PMINSB, xmm_op<host::pminsb>),
    row(ZYDIS_MNEMONIC_PMINUW, xmm_op<host::pminuw>),
    row(ZYDIS_MNEMONIC_PMINSD, xmm_op<host::pminsd>),
    row(ZYDIS_MNEMONIC_PMINUD, xmm_op<host::pminud>),
    row(ZYDIS_MNEMONIC_PMAXSB, xmm_op<host::pmaxsb>),
    row(ZYDIS_MNEMONIC_PMAXUW, xmm_op<host::pmaxuw>),
    row(ZYDIS_MNEMONIC_PMAXSD, xmm_op<host::pmaxsd>),
    row(ZYDIS_MNEMONIC_PMAXUD, xmm_op<host::pmaxud>),
    row(ZYDIS_MNEMONIC_PACKUSDW, xmm_op<host::packusdw>),
    row(ZYDIS_MNEMONIC_PHMINPOSUW, xmm_op<host::phminposuw>),
    row(ZYDIS_MNEMONIC_PCMPGTQ, xmm_op<host::pcmpgtq>, Feature::Sse42),
    row(ZYDIS_MNEMONIC_PMOVSXBW, xmm_op<host::pmovsxbw, 8>),
    row(ZYDIS_MNEMONIC_PMOVZXBW, xmm_op<host::pmovzxbw, 8>),
    row(ZYDIS_MNEMONIC_PMOVSXWD, xmm_op<host::pmovsxwd, 8>),
    row(ZYDIS_MNEMONIC_PMOVZXWD, xmm_op<host::pmovzxwd, 8>),
    row(ZYDIS_MNEMONIC_PMOVSXDQ, xmm_op<host::pmovsxdq, 8>),
    row(ZYDIS_MNEMONIC_PMOVZXDQ, xmm_op<host::pmovzxdq, 8>),
    row(ZYDIS_MNEMONIC_PMOVSXBD, xmm_op<host::pmovsxbd, 4>),
    row(ZYDIS_MNEMONIC_PMOVZXBD, xmm_op<host::pmovzxbd, 4>),
    row(ZYDIS_MNEMONIC_PMOVSXWQ, xmm_op<host::pmovsxwq, 4>),
    row(ZYDIS_MNEMONIC_PMOVZXWQ, xmm_op<host::pmovzxwq, 4>),
    row(ZYDIS_MNEMONIC_PMOVSXBQ, xmm_op<host::pmovsxbq, 2>),
    row(ZYDIS_MNEMONIC_PMOVZXBQ, xmm_op<host::pmovzxbq, 2>),
    row(ZYDIS_MNEMONIC_MPSADBW, xmm_imm_op<host::mpsadbw, 7>),
    row(ZYDIS_MNEMONIC_PTEST, ptest),
};

}  // namespace

std::span<const InsnRow> packed_int_sse4_rows() { return kRows; }

}  // namespace softvt::simd
