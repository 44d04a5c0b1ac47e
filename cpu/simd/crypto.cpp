// AES and carry-less multiplication. SDM 1 12.13.
#include "cpu/simd/operands.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

constexpr InsnRow aes(ZydisMnemonic m, ColdFn fn) { return {m, fn, Feature::Aes, Unit::Sse}; }

constexpr InsnRow kRows[] = {
    aes(ZYDIS_MNEMONIC_AESENC, xmm_op<host::aesenc>),
    aes(ZYDIS_MNEMONIC_AESENCLAST, xmm_op<host::aesenclast>),
    aes(ZYDIS_MNEMONIC_AESDEC, xmm_op<host::aesdec>),
    aes(ZYDIS_MNEMONIC_AESDECLAST, xmm_op<host::aesdeclast>),
    aes(ZYDIS_MNEMONIC_AESIMC, xmm_op<host::aesimc>),
    aes(ZYDIS_MNEMONIC_AESKEYGENASSIST, xmm_imm_op<host::aeskeygenassist>),
    // Bits 0 and 4 of the immediate choose the halves.
    {ZYDIS_MNEMONIC_PCLMULQDQ, xmm_imm_op<host::pclmulqdq, 0x1f>, Feature::Pclmulqdq, Unit::Sse},
};

}  // namespace

std::span<const InsnRow> crypto_rows() { return kRows; }

}  // namespace softvt::simd
