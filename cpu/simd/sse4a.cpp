// AMD's scalar streaming stores. APM 4 "MOVNTSD", "MOVNTSS".
#include "cpu/simd/operands.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

template <unsigned Bytes>
Step store_scalar(Cpu& cpu, const Insn& in) {
  return store_vec<Bytes>(cpu, in, get_xmm(cpu, in.src)) ? Step::Next : Step::Fault;
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_MOVNTSS, store_scalar<4>, Feature::Sse4a, Unit::Sse},
    {ZYDIS_MNEMONIC_MOVNTSD, store_scalar<8>, Feature::Sse4a, Unit::Sse},
};

}  // namespace

std::span<const InsnRow> sse4a_rows() { return kRows; }

}  // namespace softvt::simd
