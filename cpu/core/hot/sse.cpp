// Binding of the hot SSE2 instructions: rows of mnemonic and operation.
#include "cpu/core/hot/sse.h"

#include "cpu/core/hot/bind.h"

namespace softvt::hot {
namespace {

struct MoveRow {
  ZydisMnemonic mnemonic;
  bool aligned;
};
constexpr MoveRow kMoves[] = {
    {ZYDIS_MNEMONIC_MOVAPS, true},  {ZYDIS_MNEMONIC_MOVAPD, true},  {ZYDIS_MNEMONIC_MOVDQA, true},
    {ZYDIS_MNEMONIC_MOVUPS, false}, {ZYDIS_MNEMONIC_MOVUPD, false}, {ZYDIS_MNEMONIC_MOVDQU, false},
};

template <class Body>
Handler memory_handler(AddressKind kind) {
  switch (kind) {
    case AddressKind::BaseDisp:
      return shell<Body, FastXmm<BaseDisp>>;
    case AddressKind::Full64:
      return shell<Body, FastXmm<Full64>>;
    default:
      return nullptr;
  }
}

template <bool kAligned>
Handler bind_xmm_move(const Request& q) {
  switch (q.form) {
    case Form::RR:
      return shell<XmmMoveRR, Slow>;
    case Form::RM:
      return memory_handler<XmmMoveRM<kAligned>>(q.address);
    case Form::MR:
      return memory_handler<XmmMoveMR<kAligned>>(q.address);
    default:
      return nullptr;
  }
}

using BinaryBinder = Handler (*)(const Request& q);
template <auto kOperation>
Handler bind_binary(const Request& q) {
  if (q.form == Form::RR) return shell<XmmBinaryRR<kOperation>, Slow>;
  if (q.form == Form::RM) return memory_handler<XmmBinaryRM<kOperation>>(q.address);
  return nullptr;
}
// Shifts take their count from an immediate or from a register operand.
template <auto kOperation>
Handler bind_shift_count(const Request& q) {
  return q.form == Form::RI ? shell<XmmShiftRI<kOperation>, Slow> : bind_binary<kOperation>(q);
}
Handler bind_shuffle(const Request& q) {
  return q.form == Form::RR ? shell<XmmShuffleRR, Slow> : nullptr;
}

struct BinaryRow {
  ZydisMnemonic mnemonic;
  BinaryBinder bind;
};

#define SOFTVT_XMM_ROW(mnemonic, intrinsic)                                                      \
  {                                                                                              \
    ZYDIS_MNEMONIC_##mnemonic, bind_binary<[](__m128i a, __m128i b) { return intrinsic(a, b); }> \
  }
#define SOFTVT_XMM_SHIFT(mnemonic, intrinsic)                                  \
  {                                                                            \
    ZYDIS_MNEMONIC_##mnemonic,                                                 \
        bind_shift_count<[](__m128i a, __m128i b) { return intrinsic(a, b); }> \
  }
constexpr BinaryRow kBinaries[] = {
    {ZYDIS_MNEMONIC_PSHUFD, bind_shuffle},
    SOFTVT_XMM_ROW(PADDB, _mm_add_epi8),
    SOFTVT_XMM_ROW(PADDW, _mm_add_epi16),
    SOFTVT_XMM_ROW(PADDD, _mm_add_epi32),
    SOFTVT_XMM_ROW(PADDQ, _mm_add_epi64),
    SOFTVT_XMM_ROW(PSUBB, _mm_sub_epi8),
    SOFTVT_XMM_ROW(PSUBW, _mm_sub_epi16),
    SOFTVT_XMM_ROW(PSUBD, _mm_sub_epi32),
    SOFTVT_XMM_ROW(PSUBQ, _mm_sub_epi64),
    SOFTVT_XMM_ROW(PAND, _mm_and_si128),
    SOFTVT_XMM_ROW(ANDPS, _mm_and_si128),
    SOFTVT_XMM_ROW(ANDPD, _mm_and_si128),
    SOFTVT_XMM_ROW(PANDN, _mm_andnot_si128),
    SOFTVT_XMM_ROW(ANDNPS, _mm_andnot_si128),
    SOFTVT_XMM_ROW(ANDNPD, _mm_andnot_si128),
    SOFTVT_XMM_ROW(POR, _mm_or_si128),
    SOFTVT_XMM_ROW(ORPS, _mm_or_si128),
    SOFTVT_XMM_ROW(ORPD, _mm_or_si128),
    SOFTVT_XMM_ROW(PXOR, _mm_xor_si128),
    SOFTVT_XMM_ROW(XORPS, _mm_xor_si128),
    SOFTVT_XMM_ROW(XORPD, _mm_xor_si128),
    SOFTVT_XMM_ROW(PCMPEQB, _mm_cmpeq_epi8),
    SOFTVT_XMM_ROW(PCMPEQW, _mm_cmpeq_epi16),
    SOFTVT_XMM_ROW(PCMPEQD, _mm_cmpeq_epi32),
    SOFTVT_XMM_ROW(PCMPGTB, _mm_cmpgt_epi8),
    SOFTVT_XMM_ROW(PCMPGTW, _mm_cmpgt_epi16),
    SOFTVT_XMM_ROW(PCMPGTD, _mm_cmpgt_epi32),
    SOFTVT_XMM_ROW(PMINUB, _mm_min_epu8),
    SOFTVT_XMM_ROW(PMAXUB, _mm_max_epu8),
    SOFTVT_XMM_ROW(PMINSW, _mm_min_epi16),
    SOFTVT_XMM_ROW(PMAXSW, _mm_max_epi16),
    SOFTVT_XMM_ROW(PMULLW, _mm_mullo_epi16),
    SOFTVT_XMM_ROW(PMULUDQ, _mm_mul_epu32),
    SOFTVT_XMM_ROW(PMADDWD, _mm_madd_epi16),
    SOFTVT_XMM_ROW(PAVGB, _mm_avg_epu8),
    SOFTVT_XMM_SHIFT(PSLLW, _mm_sll_epi16),
    SOFTVT_XMM_SHIFT(PSLLD, _mm_sll_epi32),
    SOFTVT_XMM_SHIFT(PSLLQ, _mm_sll_epi64),
    SOFTVT_XMM_SHIFT(PSRLW, _mm_srl_epi16),
    SOFTVT_XMM_SHIFT(PSRLD, _mm_srl_epi32),
    SOFTVT_XMM_SHIFT(PSRLQ, _mm_srl_epi64),
    SOFTVT_XMM_SHIFT(PSRAW, _mm_sra_epi16),
    SOFTVT_XMM_SHIFT(PSRAD, _mm_sra_epi32),
    SOFTVT_XMM_ROW(PUNPCKLBW, _mm_unpacklo_epi8),
    SOFTVT_XMM_ROW(PUNPCKLWD, _mm_unpacklo_epi16),
    SOFTVT_XMM_ROW(PUNPCKLDQ, _mm_unpacklo_epi32),
    SOFTVT_XMM_ROW(PUNPCKLQDQ, _mm_unpacklo_epi64),
    SOFTVT_XMM_ROW(PUNPCKHBW, _mm_unpackhi_epi8),
    SOFTVT_XMM_ROW(PUNPCKHWD, _mm_unpackhi_epi16),
    SOFTVT_XMM_ROW(PUNPCKHDQ, _mm_unpackhi_epi32),
    SOFTVT_XMM_ROW(PUNPCKHQDQ, _mm_unpackhi_epi64),
};
#undef SOFTVT_XMM_SHIFT
#undef SOFTVT_XMM_ROW

}  // namespace

Handler bind_xmm(const Request& q) {
  for (const MoveRow& row : kMoves) {
    if (row.mnemonic != q.mnemonic) continue;
    return row.aligned ? bind_xmm_move<true>(q) : bind_xmm_move<false>(q);
  }
  for (const BinaryRow& row : kBinaries) {
    if (row.mnemonic == q.mnemonic) return row.bind(q);
  }
  return nullptr;
}

}  // namespace softvt::hot
