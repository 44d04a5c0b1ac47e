// Conversions between integers and floating point, in XMM, MMX and general registers.
// SDM 1 10.4.6.2 (end), 11.4.1.6 "SSE2 Conversion Instructions".
#include "cpu/simd/float_env.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

// ---- general register or memory to XMM
// -----------------------------------------------------------

void cvtsi2ss(Vec& dst, u32 src) { asm volatile("cvtsi2ssl %1, %0" : "+x"(dst) : "r"(src)); }
void cvtsi2ss(Vec& dst, u64 src) { asm volatile("cvtsi2ssq %1, %0" : "+x"(dst) : "r"(src)); }
void cvtsi2sd(Vec& dst, u32 src) { asm volatile("cvtsi2sdl %1, %0" : "+x"(dst) : "r"(src)); }
void cvtsi2sd(Vec& dst, u64 src) { asm volatile("cvtsi2sdq %1, %0" : "+x"(dst) : "r"(src)); }

template <class Int, bool Single>
Step from_gpr_sized(Cpu& cpu, const Insn& in) {
  Int src;
  if (!fetch_gpr(cpu, in, src)) return Step::Fault;
  Vec dst = get_xmm(cpu, in.dst);
  const u32 flags = run_on_host(cpu.mxcsr, [&] {
    if constexpr (Single) {
      cvtsi2ss(dst, src);
    } else {
      cvtsi2sd(dst, src);
    }
  });
  if (!settle(cpu, flags)) return Step::Fault;
  put_xmm(cpu, in.dst, dst);
  return Step::Next;
}
template <bool Single>
Step from_gpr(Cpu& cpu, const Insn& in) {
  return wide(in) ? from_gpr_sized<u64, Single>(cpu, in) : from_gpr_sized<u32, Single>(cpu, in);
}

// ---- XMM or memory to general register
// -------------------------------------------------------------

struct Cvtss2si {
  static void run(u32& dst, const Vec& src) {
    asm volatile("cvtss2si %1, %0" : "=r"(dst) : "x"(src));
  }
  static void run(u64& dst, const Vec& src) {
    asm volatile("cvtss2si %1, %0" : "=r"(dst) : "x"(src));
  }
};
struct Cvttss2si {
  static void run(u32& dst, const Vec& src) {
    asm volatile("cvttss2si %1, %0" : "=r"(dst) : "x"(src));
  }
  static void run(u64& dst, const Vec& src) {
    asm volatile("cvttss2si %1, %0" : "=r"(dst) : "x"(src));
  }
};
struct Cvtsd2si {
  static void run(u32& dst, const Vec& src) {
    asm volatile("cvtsd2si %1, %0" : "=r"(dst) : "x"(src));
  }
  static void run(u64& dst, const Vec& src) {
    asm volatile("cvtsd2si %1, %0" : "=r"(dst) : "x"(src));
  }
};
struct Cvttsd2si {
  static void run(u32& dst, const Vec& src) {
    asm volatile("cvttsd2si %1, %0" : "=r"(dst) : "x"(src));
  }
  static void run(u64& dst, const Vec& src) {
    asm volatile("cvttsd2si %1, %0" : "=r"(dst) : "x"(src));
  }
};

template <class Int, class Op>
bool to_integer(Cpu& cpu, const Vec& src, u8 gpr) {
  Int result = 0;
  const u32 flags = run_on_host(cpu.mxcsr, [&] { Op::run(result, src); });
  if (!settle(cpu, flags)) return false;
  put_reg<Int>(cpu, gpr, result);
  return true;
}
template <class Op, unsigned Bytes>
Step to_gpr(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!fetch_xmm<Bytes>(cpu, in, src)) return Step::Fault;
  const bool done =
      wide(in) ? to_integer<u64, Op>(cpu, src, in.dst) : to_integer<u32, Op>(cpu, src, in.dst);
  return done ? Step::Next : Step::Fault;
}

// ---- MMX
// -------------------------------------------------------------------------------------------

// CVTPI2PS, CVTPI2PD: a memory source does not touch the MMX state and does not look for x87
// exceptions. SDM 2A "CVTPI2PD"; processors treat CVTPI2PS alike.
bool fetch_mmx_source(Cpu& cpu, const Insn& in, u64& src) {
  if (in.form != Form::RM && !no_x87_exception(cpu)) return false;
  if (!fetch_mmx(cpu, in, src)) return false;
  if (in.form != Form::RM) enter_mmx(cpu);
  return true;
}

Step cvtpi2ps(Cpu& cpu, const Insn& in) {
  u64 src;
  if (!fetch_mmx_source(cpu, in, src)) return Step::Fault;
  Vec dst{};
  if (!compute<host::cvtdq2ps>(cpu, dst, make_vec(src))) return Step::Fault;
  put_xmm(cpu, in.dst, make_vec(low64(dst), high64(get_xmm(cpu, in.dst))));
  return Step::Next;
}

Step cvtpi2pd(Cpu& cpu, const Insn& in) {
  u64 src;
  if (!fetch_mmx_source(cpu, in, src)) return Step::Fault;
  Vec dst{};
  host::cvtdq2pd(dst, make_vec(src));
  put_xmm(cpu, in.dst, dst);
  return Step::Next;
}

// The result is the low half of the operation on XMM registers. `Bytes` of the source count: two
// singles or two doubles. Processors enter the MMX state even if the conversion raises #XM.
template <HostOp Op, unsigned Bytes>
Step to_mmx(Cpu& cpu, const Insn& in) {
  Vec src;
  if (!no_x87_exception(cpu) || !fetch_xmm<Bytes>(cpu, in, src)) return Step::Fault;
  if (Bytes == 8) src = make_vec(low64(src));
  enter_mmx(cpu);
  Vec dst{};
  if (!compute<Op>(cpu, dst, src)) return Step::Fault;
  put_mmx(cpu, in.dst, low64(dst));
  return Step::Next;
}

constexpr LaneRule kNarrowPacked{LaneKind::Narrow, true, 2};
constexpr LaneRule kNarrowScalar{LaneKind::Narrow, true, 1};

constexpr InsnRow row(ZydisMnemonic m, ColdFn fn, Feature f) { return {m, fn, f, Unit::Sse}; }

// clang-format off
constexpr InsnRow kRows[] = {
    row(ZYDIS_MNEMONIC_CVTSI2SS, from_gpr<true>, Feature::Sse),
    row(ZYDIS_MNEMONIC_CVTSI2SD, from_gpr<false>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTSS2SI, to_gpr<Cvtss2si, 4>, Feature::Sse),
    row(ZYDIS_MNEMONIC_CVTTSS2SI, to_gpr<Cvttss2si, 4>, Feature::Sse),
    row(ZYDIS_MNEMONIC_CVTSD2SI, to_gpr<Cvtsd2si, 8>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTTSD2SI, to_gpr<Cvttsd2si, 8>, Feature::Sse2),

    row(ZYDIS_MNEMONIC_CVTDQ2PS, float_op<host::cvtdq2ps>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTDQ2PD, xmm_op<host::cvtdq2pd, 8>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTPS2DQ, float_op<host::cvtps2dq>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTTPS2DQ, float_op<host::cvttps2dq>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTPD2DQ, float_op<host::cvtpd2dq>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTTPD2DQ, float_op<host::cvttpd2dq>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTPS2PD, float_op<host::cvtps2pd, 8>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTPD2PS, float_op<host::cvtpd2ps, 16, kNarrowPacked>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTSS2SD, float_op<host::cvtss2sd, 4>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTSD2SS, float_op<host::cvtsd2ss, 8, kNarrowScalar>, Feature::Sse2),

    row(ZYDIS_MNEMONIC_CVTPI2PS, cvtpi2ps, Feature::Sse),
    row(ZYDIS_MNEMONIC_CVTPI2PD, cvtpi2pd, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTPS2PI, to_mmx<host::cvtps2dq, 8>, Feature::Sse),
    row(ZYDIS_MNEMONIC_CVTTPS2PI, to_mmx<host::cvttps2dq, 8>, Feature::Sse),
    row(ZYDIS_MNEMONIC_CVTPD2PI, to_mmx<host::cvtpd2dq, 16>, Feature::Sse2),
    row(ZYDIS_MNEMONIC_CVTTPD2PI, to_mmx<host::cvttpd2dq, 16>, Feature::Sse2),
};
// clang-format on

}  // namespace

std::span<const InsnRow> convert_rows() { return kRows; }

}  // namespace softvt::simd
