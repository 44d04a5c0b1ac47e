// Arithmetic, comparison and rounding of packed and scalar singles and doubles.
// SDM 1 10.4.1, 11.4.1, 12.3, 12.8.
#include "cpu/simd/float_env.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

constexpr LaneRule ps(LaneKind kind) { return {kind, true, 4}; }
constexpr LaneRule pd(LaneKind kind) { return {kind, false, 2}; }
constexpr LaneRule ss(LaneKind kind) { return {kind, true, 1}; }
constexpr LaneRule sd(LaneKind kind) { return {kind, false, 1}; }

// COMISS and its kin: ZF, PF and CF, the others cleared. An unordered result sets all three.
using CompareOp = u64 (*)(const Vec&, const Vec&);
u64 compare_flags(bool zf, bool pf, bool cf) {
  return (zf ? rflags::ZF : 0) | (pf ? rflags::PF : 0) | (cf ? rflags::CF : 0);
}
u64 comiss(const Vec& a, const Vec& b) {
  bool z, p, c;
  asm volatile("comiss %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(a), "x"(b));
  return compare_flags(z, p, c);
}
u64 comisd(const Vec& a, const Vec& b) {
  bool z, p, c;
  asm volatile("comisd %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(a), "x"(b));
  return compare_flags(z, p, c);
}
u64 ucomiss(const Vec& a, const Vec& b) {
  bool z, p, c;
  asm volatile("ucomiss %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(a), "x"(b));
  return compare_flags(z, p, c);
}
u64 ucomisd(const Vec& a, const Vec& b) {
  bool z, p, c;
  asm volatile("ucomisd %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(a), "x"(b));
  return compare_flags(z, p, c);
}

template <CompareOp Op, unsigned Bytes>
Step compare(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!fetch_xmm<Bytes>(cpu, in, src)) return Step::Fault;
  const Vec dst = get_xmm(cpu, in.dst);
  u64 result = 0;
  const u32 flags = run_on_host(cpu.mxcsr, [&] { result = Op(dst, src); });
  if (!settle(cpu, flags)) return Step::Fault;
  cpu.set_arithmetic_flags(result);
  return Step::Next;
}

// With an exception unmasked a dot product stops at the first stage that has one: the products,
// then the sums of neighbours, then their sum. SDM 2A "DPPS—Dot Product of Packed Single Precision
// Floating-Point Values".
template <HostOp Mul, HostOp Add, LaneRule MulRule, LaneRule AddRule>
bool check_dot_product(Cpu& cpu, u8 imm, const Vec& dst, const Vec& src) {
  Xmm a{}, b{};
  const Xmm d = to_lanes(dst), s = to_lanes(src);
  for (unsigned i = 0; i < MulRule.lanes; ++i) {
    if ((imm >> (4 + i) & 1) == 0) continue;
    if (MulRule.single) {
      a.d[i] = d.d[i];
      b.d[i] = s.d[i];
    } else {
      a.q[i] = d.q[i];
      b.q[i] = s.q[i];
    }
  }
  Vec sum = to_vec(a);
  if (!compute<Mul, MulRule>(cpu, sum, to_vec(b))) return false;
  for (unsigned terms = MulRule.lanes; terms > 1; terms /= 2) {
    const Vec copy = sum;
    if (!compute<Add, AddRule>(cpu, sum, copy)) return false;
  }
  return true;
}

template <class Op, HostOp Mul, HostOp Add, LaneRule MulRule, LaneRule AddRule>
Step dot_product(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!fetch_xmm(cpu, in, src)) return Step::Fault;
  Vec dst = get_xmm(cpu, in.dst);
  if (unmasked_exceptions(cpu.mxcsr) != 0 &&
      !check_dot_product<Mul, Add, MulRule, AddRule>(cpu, imm8(in), dst, src)) {
    return Step::Fault;
  }
  const u32 flags = run_on_host(cpu.mxcsr, [&] { apply_imm<Op>(in.imm, dst, src); });
  if (unmasked_exceptions(cpu.mxcsr) == 0) cpu.mxcsr |= flags;
  put_xmm(cpu, in.dst, dst);
  return Step::Next;
}

using enum LaneKind;
constexpr auto kDpps =
    dot_product<host::dpps, host::mulps, host::haddps, ps(Mul), ps(HorizontalAdd)>;
constexpr auto kDppd =
    dot_product<host::dppd, host::mulpd, host::haddpd, pd(Mul), pd(HorizontalAdd)>;

constexpr InsnRow row(ZydisMnemonic m, ColdFn fn, Feature f) { return {m, fn, f, Unit::Sse}; }

// clang-format off
constexpr InsnRow kRows[] = {
    row(ZYDIS_MNEMONIC_ADDPS, float_op<host::addps, 16, ps(Add)>, Feature::Sse),
    row(ZYDIS_MNEMONIC_ADDPD, float_op<host::addpd, 16, pd(Add)>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_ADDSS, float_op<host::addss, 4, ss(Add)>, Feature::Sse),
    row(ZYDIS_MNEMONIC_ADDSD, float_op<host::addsd, 8, sd(Add)>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_SUBPS, float_op<host::subps, 16, ps(Sub)>, Feature::Sse),
    row(ZYDIS_MNEMONIC_SUBPD, float_op<host::subpd, 16, pd(Sub)>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_SUBSS, float_op<host::subss, 4, ss(Sub)>, Feature::Sse),
    row(ZYDIS_MNEMONIC_SUBSD, float_op<host::subsd, 8, sd(Sub)>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MULPS, float_op<host::mulps, 16, ps(Mul)>, Feature::Sse),
    row(ZYDIS_MNEMONIC_MULPD, float_op<host::mulpd, 16, pd(Mul)>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MULSS, float_op<host::mulss, 4, ss(Mul)>, Feature::Sse),
    row(ZYDIS_MNEMONIC_MULSD, float_op<host::mulsd, 8, sd(Mul)>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_DIVPS, float_op<host::divps, 16, ps(Div)>, Feature::Sse),
    row(ZYDIS_MNEMONIC_DIVPD, float_op<host::divpd, 16, pd(Div)>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_DIVSS, float_op<host::divss, 4, ss(Div)>, Feature::Sse),
    row(ZYDIS_MNEMONIC_DIVSD, float_op<host::divsd, 8, sd(Div)>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_ADDSUBPS, float_op<host::addsubps, 16, ps(AddSub)>, Feature::Sse3),
    row(ZYDIS_MNEMONIC_ADDSUBPD, float_op<host::addsubpd, 16, pd(AddSub)>, Feature::Sse3),
    row(ZYDIS_MNEMONIC_HADDPS, float_op<host::haddps, 16, ps(HorizontalAdd)>, Feature::Sse3),
    row(ZYDIS_MNEMONIC_HADDPD, float_op<host::haddpd, 16, pd(HorizontalAdd)>, Feature::Sse3),
    row(ZYDIS_MNEMONIC_HSUBPS, float_op<host::hsubps, 16, ps(HorizontalSub)>, Feature::Sse3),
    row(ZYDIS_MNEMONIC_HSUBPD, float_op<host::hsubpd, 16, pd(HorizontalSub)>, Feature::Sse3),

    row(ZYDIS_MNEMONIC_MINPS, float_op<host::minps>, Feature::Sse),
    row(ZYDIS_MNEMONIC_MINPD, float_op<host::minpd>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MINSS, float_op<host::minss, 4>, Feature::Sse),
    row(ZYDIS_MNEMONIC_MINSD, float_op<host::minsd, 8>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MAXPS, float_op<host::maxps>, Feature::Sse),
    row(ZYDIS_MNEMONIC_MAXPD, float_op<host::maxpd>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_MAXSS, float_op<host::maxss, 4>, Feature::Sse),
    row(ZYDIS_MNEMONIC_MAXSD, float_op<host::maxsd, 8>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_SQRTPS, float_op<host::sqrtps>, Feature::Sse),
    row(ZYDIS_MNEMONIC_SQRTPD, float_op<host::sqrtpd>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_SQRTSS, float_op<host::sqrtss, 4>, Feature::Sse),
    row(ZYDIS_MNEMONIC_SQRTSD, float_op<host::sqrtsd, 8>, Feature::Sse2),
    // Approximations: no exceptions and no rounding control.
    row(ZYDIS_MNEMONIC_RCPPS, xmm_op<host::rcpps>, Feature::Sse),
    row(ZYDIS_MNEMONIC_RCPSS, xmm_op<host::rcpss, 4>, Feature::Sse),
    row(ZYDIS_MNEMONIC_RSQRTPS, xmm_op<host::rsqrtps>, Feature::Sse),
    row(ZYDIS_MNEMONIC_RSQRTSS, xmm_op<host::rsqrtss, 4>, Feature::Sse),

    row(ZYDIS_MNEMONIC_CMPPS, float_imm_op<host::cmpps, 7>, Feature::Sse),
    row(ZYDIS_MNEMONIC_CMPPD, float_imm_op<host::cmppd, 7>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CMPSS, float_imm_op<host::cmpss, 7, 4>, Feature::Sse),
    row(ZYDIS_MNEMONIC_CMPSD, float_imm_op<host::cmpsd, 7, 8>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_COMISS, compare<comiss, 4>, Feature::Sse),
    row(ZYDIS_MNEMONIC_COMISD, compare<comisd, 8>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_UCOMISS, compare<ucomiss, 4>, Feature::Sse),
    row(ZYDIS_MNEMONIC_UCOMISD, compare<ucomisd, 8>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_ROUNDPS, float_imm_op<host::roundps, 15>, Feature::Sse41),
    row(ZYDIS_MNEMONIC_ROUNDPD, float_imm_op<host::roundpd, 15>, Feature::Sse41),
    row(ZYDIS_MNEMONIC_ROUNDSS, float_imm_op<host::roundss, 15, 4>, Feature::Sse41),
    row(ZYDIS_MNEMONIC_ROUNDSD, float_imm_op<host::roundsd, 15, 8>, Feature::Sse41),
    row(ZYDIS_MNEMONIC_DPPS, kDpps, Feature::Sse41),
    row(ZYDIS_MNEMONIC_DPPD, kDppd, Feature::Sse41),

    // Bitwise: the names of floating point, but no exceptions.
    row(ZYDIS_MNEMONIC_ANDPS, xmm_op<host::pand>, Feature::Sse),
    row(ZYDIS_MNEMONIC_ANDPD, xmm_op<host::pand>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_ANDNPS, xmm_op<host::pandn>, Feature::Sse),
    row(ZYDIS_MNEMONIC_ANDNPD, xmm_op<host::pandn>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_ORPS, xmm_op<host::por>, Feature::Sse),
    row(ZYDIS_MNEMONIC_ORPD, xmm_op<host::por>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_XORPS, xmm_op<host::pxor>, Feature::Sse),
    row(ZYDIS_MNEMONIC_XORPD, xmm_op<host::pxor>, Feature::Sse2),
};
// clang-format on

}  // namespace

std::span<const InsnRow> packed_float_rows() { return kRows; }

}  // namespace softvt::simd
