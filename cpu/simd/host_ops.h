// One function for each host instruction that carries out a guest instruction. Inline assembly and
// not intrinsics: a compiler may swap the operands of an addition, which changes the NaN that comes
// out, and may move it across a write of MXCSR. The host needs SSE4.2, AES and PCLMULQDQ.
#pragma once
#include <emmintrin.h>

#include <utility>

#include "cpu/types.h"

namespace softvt::simd {

using Vec = __m128i;
using HostOp = void (*)(Vec& dst, const Vec& src);

// host::paddb(dst, src) executes PADDB dst, src.
#define SOFTVT_HOST_OP(name)                              \
  inline void name(Vec& dst, const Vec& src) {            \
    asm volatile(#name " %1, %0" : "+x"(dst) : "x"(src)); \
  }
// The same with an immediate: host::pshufd::run<0x1b>(dst, src).
#define SOFTVT_HOST_IMM_OP(name)                                          \
  struct name {                                                           \
    template <unsigned Imm>                                               \
    static void run(Vec& dst, const Vec& src) {                           \
      asm volatile(#name " %2, %1, %0" : "+x"(dst) : "x"(src), "i"(Imm)); \
    }                                                                     \
  };

namespace host {

// clang-format off
// packed integers
SOFTVT_HOST_OP(paddb) SOFTVT_HOST_OP(paddw) SOFTVT_HOST_OP(paddd) SOFTVT_HOST_OP(paddq)
SOFTVT_HOST_OP(psubb) SOFTVT_HOST_OP(psubw) SOFTVT_HOST_OP(psubd) SOFTVT_HOST_OP(psubq)
SOFTVT_HOST_OP(paddsb) SOFTVT_HOST_OP(paddsw) SOFTVT_HOST_OP(paddusb) SOFTVT_HOST_OP(paddusw)
SOFTVT_HOST_OP(psubsb) SOFTVT_HOST_OP(psubsw) SOFTVT_HOST_OP(psubusb) SOFTVT_HOST_OP(psubusw)
SOFTVT_HOST_OP(pand) SOFTVT_HOST_OP(pandn) SOFTVT_HOST_OP(por) SOFTVT_HOST_OP(pxor)
SOFTVT_HOST_OP(pcmpeqb) SOFTVT_HOST_OP(pcmpeqw) SOFTVT_HOST_OP(pcmpeqd) SOFTVT_HOST_OP(pcmpeqq)
SOFTVT_HOST_OP(pcmpgtb) SOFTVT_HOST_OP(pcmpgtw) SOFTVT_HOST_OP(pcmpgtd) SOFTVT_HOST_OP(pcmpgtq)
SOFTVT_HOST_OP(pmullw) SOFTVT_HOST_OP(pmulhw) SOFTVT_HOST_OP(pmulhuw) SOFTVT_HOST_OP(pmulhrsw)
SOFTVT_HOST_OP(pmuludq) SOFTVT_HOST_OP(pmuldq) SOFTVT_HOST_OP(pmulld)
SOFTVT_HOST_OP(pmaddwd) SOFTVT_HOST_OP(pmaddubsw) SOFTVT_HOST_OP(psadbw)
SOFTVT_HOST_OP(pavgb) SOFTVT_HOST_OP(pavgw)
SOFTVT_HOST_OP(pminub) SOFTVT_HOST_OP(pminuw) SOFTVT_HOST_OP(pminud)
SOFTVT_HOST_OP(pminsb) SOFTVT_HOST_OP(pminsw) SOFTVT_HOST_OP(pminsd)
SOFTVT_HOST_OP(pmaxub) SOFTVT_HOST_OP(pmaxuw) SOFTVT_HOST_OP(pmaxud)
SOFTVT_HOST_OP(pmaxsb) SOFTVT_HOST_OP(pmaxsw) SOFTVT_HOST_OP(pmaxsd)
SOFTVT_HOST_OP(psllw) SOFTVT_HOST_OP(pslld) SOFTVT_HOST_OP(psllq)
SOFTVT_HOST_OP(psrlw) SOFTVT_HOST_OP(psrld) SOFTVT_HOST_OP(psrlq)
SOFTVT_HOST_OP(psraw) SOFTVT_HOST_OP(psrad)
SOFTVT_HOST_OP(packsswb) SOFTVT_HOST_OP(packssdw) SOFTVT_HOST_OP(packuswb) SOFTVT_HOST_OP(packusdw)
SOFTVT_HOST_OP(punpcklbw) SOFTVT_HOST_OP(punpcklwd) SOFTVT_HOST_OP(punpckldq)
SOFTVT_HOST_OP(punpcklqdq) SOFTVT_HOST_OP(punpckhbw) SOFTVT_HOST_OP(punpckhwd)
SOFTVT_HOST_OP(punpckhdq) SOFTVT_HOST_OP(punpckhqdq)
SOFTVT_HOST_OP(pabsb) SOFTVT_HOST_OP(pabsw) SOFTVT_HOST_OP(pabsd)
SOFTVT_HOST_OP(psignb) SOFTVT_HOST_OP(psignw) SOFTVT_HOST_OP(psignd)
SOFTVT_HOST_OP(phaddw) SOFTVT_HOST_OP(phaddd) SOFTVT_HOST_OP(phaddsw)
SOFTVT_HOST_OP(phsubw) SOFTVT_HOST_OP(phsubd) SOFTVT_HOST_OP(phsubsw)
SOFTVT_HOST_OP(pshufb) SOFTVT_HOST_OP(phminposuw)
SOFTVT_HOST_OP(pmovsxbw) SOFTVT_HOST_OP(pmovsxbd) SOFTVT_HOST_OP(pmovsxbq)
SOFTVT_HOST_OP(pmovsxwd) SOFTVT_HOST_OP(pmovsxwq) SOFTVT_HOST_OP(pmovsxdq)
SOFTVT_HOST_OP(pmovzxbw) SOFTVT_HOST_OP(pmovzxbd) SOFTVT_HOST_OP(pmovzxbq)
SOFTVT_HOST_OP(pmovzxwd) SOFTVT_HOST_OP(pmovzxwq) SOFTVT_HOST_OP(pmovzxdq)

// floating point
SOFTVT_HOST_OP(addps) SOFTVT_HOST_OP(addpd) SOFTVT_HOST_OP(addss) SOFTVT_HOST_OP(addsd)
SOFTVT_HOST_OP(subps) SOFTVT_HOST_OP(subpd) SOFTVT_HOST_OP(subss) SOFTVT_HOST_OP(subsd)
SOFTVT_HOST_OP(mulps) SOFTVT_HOST_OP(mulpd) SOFTVT_HOST_OP(mulss) SOFTVT_HOST_OP(mulsd)
SOFTVT_HOST_OP(divps) SOFTVT_HOST_OP(divpd) SOFTVT_HOST_OP(divss) SOFTVT_HOST_OP(divsd)
SOFTVT_HOST_OP(minps) SOFTVT_HOST_OP(minpd) SOFTVT_HOST_OP(minss) SOFTVT_HOST_OP(minsd)
SOFTVT_HOST_OP(maxps) SOFTVT_HOST_OP(maxpd) SOFTVT_HOST_OP(maxss) SOFTVT_HOST_OP(maxsd)
SOFTVT_HOST_OP(sqrtps) SOFTVT_HOST_OP(sqrtpd) SOFTVT_HOST_OP(sqrtss) SOFTVT_HOST_OP(sqrtsd)
SOFTVT_HOST_OP(rcpps) SOFTVT_HOST_OP(rcpss) SOFTVT_HOST_OP(rsqrtps) SOFTVT_HOST_OP(rsqrtss)
SOFTVT_HOST_OP(addsubps) SOFTVT_HOST_OP(addsubpd) SOFTVT_HOST_OP(haddps) SOFTVT_HOST_OP(haddpd)
SOFTVT_HOST_OP(hsubps) SOFTVT_HOST_OP(hsubpd)
SOFTVT_HOST_OP(unpcklps) SOFTVT_HOST_OP(unpcklpd) SOFTVT_HOST_OP(unpckhps) SOFTVT_HOST_OP(unpckhpd)
SOFTVT_HOST_OP(cvtdq2ps) SOFTVT_HOST_OP(cvtdq2pd) SOFTVT_HOST_OP(cvtps2dq) SOFTVT_HOST_OP(cvttps2dq)
SOFTVT_HOST_OP(cvtpd2dq) SOFTVT_HOST_OP(cvttpd2dq) SOFTVT_HOST_OP(cvtps2pd) SOFTVT_HOST_OP(cvtpd2ps)
SOFTVT_HOST_OP(cvtss2sd) SOFTVT_HOST_OP(cvtsd2ss)
SOFTVT_HOST_OP(movddup) SOFTVT_HOST_OP(movsldup) SOFTVT_HOST_OP(movshdup)

// encryption
SOFTVT_HOST_OP(aesenc) SOFTVT_HOST_OP(aesenclast) SOFTVT_HOST_OP(aesdec) SOFTVT_HOST_OP(aesdeclast)
SOFTVT_HOST_OP(aesimc)

// with an immediate
SOFTVT_HOST_IMM_OP(pshufd) SOFTVT_HOST_IMM_OP(pshuflw) SOFTVT_HOST_IMM_OP(pshufhw)
SOFTVT_HOST_IMM_OP(shufps) SOFTVT_HOST_IMM_OP(shufpd) SOFTVT_HOST_IMM_OP(palignr)
SOFTVT_HOST_IMM_OP(pblendw) SOFTVT_HOST_IMM_OP(blendps) SOFTVT_HOST_IMM_OP(blendpd)
SOFTVT_HOST_IMM_OP(mpsadbw) SOFTVT_HOST_IMM_OP(insertps)
SOFTVT_HOST_IMM_OP(cmpps) SOFTVT_HOST_IMM_OP(cmppd) SOFTVT_HOST_IMM_OP(cmpss) SOFTVT_HOST_IMM_OP(cmpsd)
SOFTVT_HOST_IMM_OP(roundps) SOFTVT_HOST_IMM_OP(roundpd) SOFTVT_HOST_IMM_OP(roundss)
SOFTVT_HOST_IMM_OP(roundsd) SOFTVT_HOST_IMM_OP(dpps) SOFTVT_HOST_IMM_OP(dppd)
SOFTVT_HOST_IMM_OP(pclmulqdq) SOFTVT_HOST_IMM_OP(aeskeygenassist)
// clang-format on

}  // namespace host

#undef SOFTVT_HOST_OP
#undef SOFTVT_HOST_IMM_OP

// The host encodes the immediate in the instruction, so there is a function for each of its values.
template <unsigned Size>
struct ImmTable {
  HostOp op[Size];
};
template <class Op, unsigned... Imm>
constexpr ImmTable<sizeof...(Imm)> make_imm_table(std::integer_sequence<unsigned, Imm...>) {
  return {{&Op::template run<Imm>...}};
}
// `Mask` (all ones at the right end) keeps the bits of the immediate that count.
template <class Op, unsigned Mask>
inline constexpr auto kImmTable =
    make_imm_table<Op>(std::make_integer_sequence<unsigned, Mask + 1>{});

template <class Op, unsigned Mask = 0xff>
void apply_imm(i64 imm, Vec& dst, const Vec& src) {
  kImmTable<Op, Mask>.op[static_cast<u64>(imm) & Mask](dst, src);
}

}  // namespace softvt::simd
