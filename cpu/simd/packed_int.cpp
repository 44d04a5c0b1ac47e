// Packed integers: MMX, SSE2 and SSSE3 arithmetic, comparison, logic, shifts, packs and unpacks.
// SDM 1 9.4, 11.4.2, 12.6. Both register files are served by the host's XMM registers.
#include "cpu/simd/operands.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

// Shift counts come from a register, from memory or from an immediate; all 64 bits count.
template <HostOp Op>
Step xmm_shift(Cpu& cpu, const Insn& in) {
  Vec count = make_vec(imm8(in));
  if (in.form != Form::RI && !fetch_xmm(cpu, in, count)) return Step::Fault;
  Vec dst = get_xmm(cpu, in.dst);
  Op(dst, count);
  put_xmm(cpu, in.dst, dst);
  return Step::Next;
}

template <HostOp Op>
Step mmx_shift(Cpu& cpu, const Insn& in) {
  if (!no_x87_exception(cpu)) return Step::Fault;
  u64 count = imm8(in);
  if (in.form != Form::RI && !fetch_mmx(cpu, in, count)) return Step::Fault;
  const u64 result = in_low_half<Op>(in, get_mmx(cpu, in.dst), count);
  enter_mmx(cpu);
  put_mmx(cpu, in.dst, result);
  return Step::Next;
}

u128 to_u128(const Vec& v) { return u128{high64(v)} << 64 | low64(v); }
Vec from_u128(u128 v) { return make_vec(static_cast<u64>(v), static_cast<u64>(v >> 64)); }

template <bool Left>
Step shift_bytes(Cpu& cpu, const Insn& in) {
  const unsigned bytes = imm8(in);
  u128 value = to_u128(get_xmm(cpu, in.dst));
  if (bytes > 15) {
    value = 0;
  } else {
    value = Left ? value << (bytes * 8) : value >> (bytes * 8);
  }
  put_xmm(cpu, in.dst, from_u128(value));
  return Step::Next;
}

// The XMM operation interleaves the low halves; the MMX "high" one is the upper half of that.
template <HostOp LowOp>
u64 unpack_high(const Insn&, u64 dst, u64 src) {
  Vec d = make_vec(dst);
  LowOp(d, make_vec(src));
  return high64(d);
}

// An MMX register has eight bytes, so three bits of each index count.
u64 shuffle_bytes(const Insn& in, u64 dst, u64 src) {
  return in_low_half<host::pshufb>(in, dst, src & 0x8787878787878787);
}

u64 align_right(const Insn& in, u64 dst, u64 src) {
  const unsigned bytes = imm8(in);
  return bytes > 15 ? 0 : static_cast<u64>((u128{dst} << 64 | src) >> (bytes * 8));
}

Step align_right_xmm(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!fetch_xmm(cpu, in, src)) return Step::Fault;
  Vec dst = get_xmm(cpu, in.dst);
  apply_imm<host::palignr, 0x3f>(imm8(in) < 32 ? imm8(in) : 32, dst, src);
  put_xmm(cpu, in.dst, dst);
  return Step::Next;
}

constexpr InsnRow mmx(ZydisMnemonic m, ColdFn fn, Feature f = Feature::Mmx) {
  return {m, fn, f, Unit::Mmx};
}
constexpr InsnRow xmm(ZydisMnemonic m, ColdFn fn, Feature f = Feature::Sse2) {
  return {m, fn, f, Unit::Sse};
}

constexpr InsnRow kRows[] = {
    mmx(ZYDIS_MNEMONIC_PADDB, mmx_op<host::paddb>),
    xmm(ZYDIS_MNEMONIC_PADDB, xmm_op<host::paddb>),
    mmx(ZYDIS_MNEMONIC_PADDW, mmx_op<host::paddw>),
    xmm(ZYDIS_MNEMONIC_PADDW, xmm_op<host::paddw>),
    mmx(ZYDIS_MNEMONIC_PADDD, mmx_op<host::paddd>),
    xmm(ZYDIS_MNEMONIC_PADDD, xmm_op<host::paddd>),
    mmx(ZYDIS_MNEMONIC_PSUBB, mmx_op<host::psubb>),
    xmm(ZYDIS_MNEMONIC_PSUBB, xmm_op<host::psubb>),
    mmx(ZYDIS_MNEMONIC_PSUBW, mmx_op<host::psubw>),
    xmm(ZYDIS_MNEMONIC_PSUBW, xmm_op<host::psubw>),
    mmx(ZYDIS_MNEMONIC_PSUBD, mmx_op<host::psubd>),
    xmm(ZYDIS_MNEMONIC_PSUBD, xmm_op<host::psubd>),
    mmx(ZYDIS_MNEMONIC_PADDSB, mmx_op<host::paddsb>),
    xmm(ZYDIS_MNEMONIC_PADDSB, xmm_op<host::paddsb>),
    mmx(ZYDIS_MNEMONIC_PADDSW, mmx_op<host::paddsw>),
    xmm(ZYDIS_MNEMONIC_PADDSW, xmm_op<host::paddsw>),
    mmx(ZYDIS_MNEMONIC_PADDUSB, mmx_op<host::paddusb>),
    xmm(ZYDIS_MNEMONIC_PADDUSB, xmm_op<host::paddusb>),
    mmx(ZYDIS_MNEMONIC_PADDUSW, mmx_op<host::paddusw>),
    xmm(ZYDIS_MNEMONIC_PADDUSW, xmm_op<host::paddusw>),
    mmx(ZYDIS_MNEMONIC_PSUBSB, mmx_op<host::psubsb>),
    xmm(ZYDIS_MNEMONIC_PSUBSB, xmm_op<host::psubsb>),
    mmx(ZYDIS_MNEMONIC_PSUBSW, mmx_op<host::psubsw>),
    xmm(ZYDIS_MNEMONIC_PSUBSW, xmm_op<host::psubsw>),
    mmx(ZYDIS_MNEMONIC_PSUBUSB, mmx_op<host::psubusb>),
    xmm(ZYDIS_MNEMONIC_PSUBUSB, xmm_op<host::psubusb>),
    mmx(ZYDIS_MNEMONIC_PSUBUSW, mmx_op<host::psubusw>),
    xmm(ZYDIS_MNEMONIC_PSUBUSW, xmm_op<host::psubusw>),
    mmx(ZYDIS_MNEMONIC_PAND, mmx_op<host::pand>),
    xmm(ZYDIS_MNEMONIC_PAND, xmm_op<host::pand>),
    mmx(ZYDIS_MNEMONIC_PANDN, mmx_op<host::pandn>),
    xmm(ZYDIS_MNEMONIC_PANDN, xmm_op<host::pandn>),
    mmx(ZYDIS_MNEMONIC_POR, mmx_op<host::por>),
    xmm(ZYDIS_MNEMONIC_POR, xmm_op<host::por>),
    mmx(ZYDIS_MNEMONIC_PXOR, mmx_op<host::pxor>),
    xmm(ZYDIS_MNEMONIC_PXOR, xmm_op<host::pxor>),
    mmx(ZYDIS_MNEMONIC_PCMPEQB, mmx_op<host::pcmpeqb>),
    xmm(ZYDIS_MNEMONIC_PCMPEQB, xmm_op<host::pcmpeqb>),
    mmx(ZYDIS_MNEMONIC_PCMPEQW, mmx_op<host::pcmpeqw>),
    xmm(ZYDIS_MNEMONIC_PCMPEQW, xmm_op<host::pcmpeqw>),
    mmx(ZYDIS_MNEMONIC_PCMPEQD, mmx_op<host::pcmpeqd>),
    xmm(ZYDIS_MNEMONIC_PCMPEQD, xmm_op<host::pcmpeqd>),
    mmx(ZYDIS_MNEMONIC_PCMPGTB, mmx_op<host::pcmpgtb>),
    xmm(ZYDIS_MNEMONIC_PCMPGTB, xmm_op<host::pcmpgtb>),
    mmx(ZYDIS_MNEMONIC_PCMPGTW, mmx_op<host::pcmpgtw>),
    xmm(ZYDIS_MNEMONIC_PCMPGTW, xmm_op<host::pcmpgtw>),
    mmx(ZYDIS_MNEMONIC_PCMPGTD, mmx_op<host::pcmpgtd>),
    xmm(ZYDIS_MNEMONIC_PCMPGTD, xmm_op<host::pcmpgtd>),
    mmx(ZYDIS_MNEMONIC_PMULLW, mmx_op<host::pmullw>),
    xmm(ZYDIS_MNEMONIC_PMULLW, xmm_op<host::pmullw>),
    mmx(ZYDIS_MNEMONIC_PMULHW, mmx_op<host::pmulhw>),
    xmm(ZYDIS_MNEMONIC_PMULHW, xmm_op<host::pmulhw>),
    mmx(ZYDIS_MNEMONIC_PMADDWD, mmx_op<host::pmaddwd>),
    xmm(ZYDIS_MNEMONIC_PMADDWD, xmm_op<host::pmaddwd>),
    // Of SSE and SSE2 for MMX registers.
    mmx(ZYDIS_MNEMONIC_PMULHUW, mmx_op<host::pmulhuw>, Feature::Sse),
    xmm(ZYDIS_MNEMONIC_PMULHUW, xmm_op<host::pmulhuw>),
    mmx(ZYDIS_MNEMONIC_PAVGB, mmx_op<host::pavgb>, Feature::Sse),
    xmm(ZYDIS_MNEMONIC_PAVGB, xmm_op<host::pavgb>),
    mmx(ZYDIS_MNEMONIC_PAVGW, mmx_op<host::pavgw>, Feature::Sse),
    xmm(ZYDIS_MNEMONIC_PAVGW, xmm_op<host::pavgw>),
    mmx(ZYDIS_MNEMONIC_PMINUB, mmx_op<host::pminub>, Feature::Sse),
    xmm(ZYDIS_MNEMONIC_PMINUB, xmm_op<host::pminub>),
    mmx(ZYDIS_MNEMONIC_PMINSW, mmx_op<host::pminsw>, Feature::Sse),
    xmm(ZYDIS_MNEMONIC_PMINSW, xmm_op<host::pminsw>),
    mmx(ZYDIS_MNEMONIC_PMAXUB, mmx_op<host::pmaxub>, Feature::Sse),
    xmm(ZYDIS_MNEMONIC_PMAXUB, xmm_op<host::pmaxub>),
    mmx(ZYDIS_MNEMONIC_PMAXSW, mmx_op<host::pmaxsw>, Feature::Sse),
    xmm(ZYDIS_MNEMONIC_PMAXSW, xmm_op<host::pmaxsw>),
    mmx(ZYDIS_MNEMONIC_PSADBW, mmx_op<host::psadbw>, Feature::Sse),
    xmm(ZYDIS_MNEMONIC_PSADBW, xmm_op<host::psadbw>),
    mmx(ZYDIS_MNEMONIC_PADDQ, mmx_op<host::paddq>, Feature::Sse2),
    xmm(ZYDIS_MNEMONIC_PADDQ, xmm_op<host::paddq>),
    mmx(ZYDIS_MNEMONIC_PSUBQ, mmx_op<host::psubq>, Feature::Sse2),
    xmm(ZYDIS_MNEMONIC_PSUBQ, xmm_op<host::psubq>),
    mmx(ZYDIS_MNEMONIC_PMULUDQ, mmx_op<host::pmuludq>, Feature::Sse2),
    xmm(ZYDIS_MNEMONIC_PMULUDQ, xmm_op<host::pmuludq>),
    // Shifts.
    mmx(ZYDIS_MNEMONIC_PSLLW, mmx_shift<host::psllw>),
    xmm(ZYDIS_MNEMONIC_PSLLW, xmm_shift<host::psllw>),
    mmx(ZYDIS_MNEMONIC_PSLLD, mmx_shift<host::pslld>),
    xmm(ZYDIS_MNEMONIC_PSLLD, xmm_shift<host::pslld>),
    mmx(ZYDIS_MNEMONIC_PSLLQ, mmx_shift<host::psllq>),
    xmm(ZYDIS_MNEMONIC_PSLLQ, xmm_shift<host::psllq>),
    mmx(ZYDIS_MNEMONIC_PSRLW, mmx_shift<host::psrlw>),
    xmm(ZYDIS_MNEMONIC_PSRLW, xmm_shift<host::psrlw>),
    mmx(ZYDIS_MNEMONIC_PSRLD, mmx_shift<host::psrld>),
    xmm(ZYDIS_MNEMONIC_PSRLD, xmm_shift<host::psrld>),
    mmx(ZYDIS_MNEMONIC_PSRLQ, mmx_shift<host::psrlq>),
    xmm(ZYDIS_MNEMONIC_PSRLQ, xmm_shift<host::psrlq>),
    mmx(ZYDIS_MNEMONIC_PSRAW, mmx_shift<host::psraw>),
    xmm(ZYDIS_MNEMONIC_PSRAW, xmm_shift<host::psraw>),
    mmx(ZYDIS_MNEMONIC_PSRAD, mmx_shift<host::psrad>),
    xmm(ZYDIS_MNEMONIC_PSRAD, xmm_shift<host::psrad>),
    xmm(ZYDIS_MNEMONIC_PSLLDQ, shift_bytes<true>),
    xmm(ZYDIS_MNEMONIC_PSRLDQ, shift_bytes<false>),
    // Packs and unpacks. The low unpacks read four bytes of memory in their MMX form.
    mmx(ZYDIS_MNEMONIC_PACKSSWB, mmx_pair_op<host::packsswb>),
    xmm(ZYDIS_MNEMONIC_PACKSSWB, xmm_op<host::packsswb>),
    mmx(ZYDIS_MNEMONIC_PACKSSDW, mmx_pair_op<host::packssdw>),
    xmm(ZYDIS_MNEMONIC_PACKSSDW, xmm_op<host::packssdw>),
    mmx(ZYDIS_MNEMONIC_PACKUSWB, mmx_pair_op<host::packuswb>),
    xmm(ZYDIS_MNEMONIC_PACKUSWB, xmm_op<host::packuswb>),
    mmx(ZYDIS_MNEMONIC_PUNPCKLBW, mmx_op<host::punpcklbw, 4>),
    xmm(ZYDIS_MNEMONIC_PUNPCKLBW, xmm_op<host::punpcklbw>),
    mmx(ZYDIS_MNEMONIC_PUNPCKHBW, mmx_function<unpack_high<host::punpcklbw>>),
    xmm(ZYDIS_MNEMONIC_PUNPCKHBW, xmm_op<host::punpckhbw>),
    mmx(ZYDIS_MNEMONIC_PUNPCKLWD, mmx_op<host::punpcklwd, 4>),
    xmm(ZYDIS_MNEMONIC_PUNPCKLWD, xmm_op<host::punpcklwd>),
    mmx(ZYDIS_MNEMONIC_PUNPCKHWD, mmx_function<unpack_high<host::punpcklwd>>),
    xmm(ZYDIS_MNEMONIC_PUNPCKHWD, xmm_op<host::punpckhwd>),
    mmx(ZYDIS_MNEMONIC_PUNPCKLDQ, mmx_op<host::punpckldq, 4>),
    xmm(ZYDIS_MNEMONIC_PUNPCKLDQ, xmm_op<host::punpckldq>),
    mmx(ZYDIS_MNEMONIC_PUNPCKHDQ, mmx_function<unpack_high<host::punpckldq>>),
    xmm(ZYDIS_MNEMONIC_PUNPCKHDQ, xmm_op<host::punpckhdq>),
    xmm(ZYDIS_MNEMONIC_PUNPCKLQDQ, xmm_op<host::punpcklqdq>),
    xmm(ZYDIS_MNEMONIC_PUNPCKHQDQ, xmm_op<host::punpckhqdq>),
    // SSSE3.
    mmx(ZYDIS_MNEMONIC_PABSB, mmx_op<host::pabsb>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PABSB, xmm_op<host::pabsb>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PABSW, mmx_op<host::pabsw>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PABSW, xmm_op<host::pabsw>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PABSD, mmx_op<host::pabsd>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PABSD, xmm_op<host::pabsd>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PSIGNB, mmx_op<host::psignb>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PSIGNB, xmm_op<host::psignb>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PSIGNW, mmx_op<host::psignw>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PSIGNW, xmm_op<host::psignw>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PSIGND, mmx_op<host::psignd>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PSIGND, xmm_op<host::psignd>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PMULHRSW, mmx_op<host::pmulhrsw>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PMULHRSW, xmm_op<host::pmulhrsw>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PMADDUBSW, mmx_op<host::pmaddubsw>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PMADDUBSW, xmm_op<host::pmaddubsw>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PHADDW, mmx_pair_op<host::phaddw>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PHADDW, xmm_op<host::phaddw>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PHADDD, mmx_pair_op<host::phaddd>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PHADDD, xmm_op<host::phaddd>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PHADDSW, mmx_pair_op<host::phaddsw>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PHADDSW, xmm_op<host::phaddsw>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PHSUBW, mmx_pair_op<host::phsubw>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PHSUBW, xmm_op<host::phsubw>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PHSUBD, mmx_pair_op<host::phsubd>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PHSUBD, xmm_op<host::phsubd>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PHSUBSW, mmx_pair_op<host::phsubsw>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PHSUBSW, xmm_op<host::phsubsw>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PSHUFB, mmx_function<shuffle_bytes>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PSHUFB, xmm_op<host::pshufb>, Feature::Ssse3),
    mmx(ZYDIS_MNEMONIC_PALIGNR, mmx_function<align_right>, Feature::Ssse3),
    xmm(ZYDIS_MNEMONIC_PALIGNR, align_right_xmm, Feature::Ssse3),
};

}  // namespace

std::span<const InsnRow> packed_int_rows() { return kRows; }

}  // namespace softvt::simd
