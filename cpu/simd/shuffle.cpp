// Shuffles, unpacks of floating point, and blends. SDM 1 10.4.4, 11.4.1.4, 12.8.4.
#include "cpu/simd/operands.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

u64 pshufw(const Insn& in, u64, u64 src) {
  Vec d{};
  apply_imm<host::pshuflw>(in.imm, d, make_vec(src));
  return low64(d);
}

// The variable blends: the top bit of each element of XMM0 chooses src.
template <class Element>
Step blend_by_xmm0(Cpu& cpu, const Insn& in) {
  Vec source;
  if (!fetch_xmm(cpu, in, source)) return Step::Fault;
  constexpr unsigned kCount = 16 / sizeof(Element), kTop = sizeof(Element) * 8 - 1;
  Element mask[kCount], dst[kCount], src[kCount];
  std::memcpy(mask, &cpu.xmm[0], 16);
  std::memcpy(dst, &cpu.xmm[in.dst & 15], 16);
  std::memcpy(src, &source, 16);
  for (unsigned i = 0; i < kCount; ++i) {
    if (mask[i] >> kTop & 1) dst[i] = src[i];
  }
  std::memcpy(&cpu.xmm[in.dst & 15], dst, 16);
  return Step::Next;
}

constexpr InsnRow row(ZydisMnemonic m, ColdFn fn, Feature f) { return {m, fn, f, Unit::Sse}; }

// clang-format off
constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_PSHUFW, mmx_function<pshufw>, Feature::Sse, Unit::Mmx},
    row(ZYDIS_MNEMONIC_PSHUFD, xmm_imm_op<host::pshufd>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_PSHUFLW, xmm_imm_op<host::pshuflw>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_PSHUFHW, xmm_imm_op<host::pshufhw>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_SHUFPS, xmm_imm_op<host::shufps>, Feature::Sse),
    row(ZYDIS_MNEMONIC_SHUFPD, xmm_imm_op<host::shufpd, 3>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_UNPCKLPS, xmm_op<host::unpcklps>, Feature::Sse),
    row(ZYDIS_MNEMONIC_UNPCKHPS, xmm_op<host::unpckhps>, Feature::Sse),
    row(ZYDIS_MNEMONIC_UNPCKLPD, xmm_op<host::unpcklpd>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_UNPCKHPD, xmm_op<host::unpckhpd>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MOVDDUP, xmm_op<host::movddup, 8>, Feature::Sse3),
    row(ZYDIS_MNEMONIC_MOVSLDUP, xmm_op<host::movsldup>, Feature::Sse3),
    row(ZYDIS_MNEMONIC_MOVSHDUP, xmm_op<host::movshdup>, Feature::Sse3),
    row(ZYDIS_MNEMONIC_PBLENDW, xmm_imm_op<host::pblendw>, Feature::Sse41),
    row(ZYDIS_MNEMONIC_BLENDPS, xmm_imm_op<host::blendps, 15>, Feature::Sse41),
    row(ZYDIS_MNEMONIC_BLENDPD, xmm_imm_op<host::blendpd, 3>, Feature::Sse41),
    row(ZYDIS_MNEMONIC_PBLENDVB, blend_by_xmm0<u8>, Feature::Sse41),
    row(ZYDIS_MNEMONIC_BLENDVPS, blend_by_xmm0<u32>, Feature::Sse41),
    row(ZYDIS_MNEMONIC_BLENDVPD, blend_by_xmm0<u64>, Feature::Sse41),
};
// clang-format on

}  // namespace

std::span<const InsnRow> shuffle_rows() { return kRows; }

}  // namespace softvt::simd
