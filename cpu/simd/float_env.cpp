#include "cpu/simd/float_env.h"

#include <cmath>
#include <limits>

namespace softvt::simd {

namespace {

// SDM 3A 6.15 "Interrupt 19—SIMD Floating-Point Exception (#XM)".
void raise_float_exception(Cpu& cpu) {
  if (cpu.cr4 & cr4::OSXMMEXCPT) {
    cpu.raise(Vector::XM);
  } else {
    cpu.raise_ud();
  }
}

enum class ScalarOp : u8 { Add, Mul, Div };

struct Unbounded {
  long double value;  // rounded to the precision of the result, exponent not limited
  bool inexact;
};

// The x87 with reduced precision control rounds the significand as the SSE unit does and keeps a
// 15-bit exponent, which no single operation on singles or doubles exceeds. SDM 1 8.1.5.2.
Unbounded compute_unbounded(ScalarOp op, double a, double b, bool single, u32 guest) {
  constexpr u16 kAllMasked = 0x3f, kPrecisionFlag = 1 << 5, kDoublePrecision = 2 << 8;
  const u32 rounding = (guest >> mxcsr::RoundingShift) & 3;
  const u16 control =
      static_cast<u16>(kAllMasked | (single ? 0 : kDoublePrecision) | rounding << 10);
  u16 saved = 0;
  u16 status = 0;
  long double r = a;
  const long double second = b;
  asm volatile("fnstcw %0" : "=m"(saved));
  switch (op) {
    case ScalarOp::Add:
      asm volatile("fnclex; fldcw %2; fadd %%st(1), %%st; fnstsw %1; fldcw %3"
                   : "+t"(r), "=a"(status)
                   : "m"(control), "m"(saved), "u"(second));
      break;
    case ScalarOp::Mul:
      asm volatile("fnclex; fldcw %2; fmul %%st(1), %%st; fnstsw %1; fldcw %3"
                   : "+t"(r), "=a"(status)
                   : "m"(control), "m"(saved), "u"(second));
      break;
    case ScalarOp::Div:
      asm volatile("fnclex; fldcw %2; fdiv %%st(1), %%st; fnstsw %1; fldcw %3"
                   : "+t"(r), "=a"(status)
                   : "m"(control), "m"(saved), "u"(second));
      break;
  }
  asm volatile("fnclex");
  return {r, (status & kPrecisionFlag) != 0};
}

// Whether a tiny value fits the denormals of the format without rounding.
bool fits_denormal(long double tiny, bool single) {
  const int smallest = single ? -149 : -1074;
  const long double scaled = std::scalbn(tiny, -smallest);
  return scaled == std::trunc(scaled);
}

// Flags of one element. SDM 1 11.5.2.4 "Numeric Overflow Exception", 11.5.2.5 "Numeric Underflow
// Exception": unmasked underflow is reported for every tiny result; PE goes with an unmasked
// overflow or underflow only if the significand was rounded.
u32 post_flags(ScalarOp op, double a, double b, bool single, u32 guest) {
  const Unbounded r = compute_unbounded(op, a, b, single, guest);
  if (!std::isfinite(r.value)) return 0;  // NaN or infinity as operand, invalid, division by zero
  const long double size = std::fabs(r.value);
  const long double max =
      single ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  const long double min =
      single ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
  const u32 unmasked = unmasked_exceptions(guest);
  const u32 rounded = r.inexact ? mxcsr::PE : 0;
  if (size > max) return mxcsr::OE | ((unmasked & mxcsr::OE) ? rounded : mxcsr::PE);
  if (size >= min || size == 0) return rounded;
  if (unmasked & mxcsr::UE) return mxcsr::UE | rounded;
  const bool exact = !r.inexact && fits_denormal(r.value, single);
  return exact && (guest & mxcsr::FTZ) == 0 ? 0 : mxcsr::UE | mxcsr::PE;
}

double element(const Xmm& x, unsigned i, bool single, u32 guest) {
  const double v = single ? static_cast<double>(x.f[i & 3]) : x.df[i & 1];
  const double min =
      single ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
  const bool denormal = v != 0 && std::fabs(v) < min;
  return denormal && (guest & mxcsr::DAZ) ? std::copysign(0.0, v) : v;
}

// Two operands and the operation of element i of the result.
u32 lane_flags(u32 guest, LaneRule rule, const Xmm& dst, const Xmm& src, unsigned i) {
  const bool single = rule.single;
  const auto d = [&](unsigned k) { return element(dst, k, single, guest); };
  const auto s = [&](unsigned k) { return element(src, k, single, guest); };
  switch (rule.kind) {
    case LaneKind::None:
      return 0;
    case LaneKind::Add:
      return post_flags(ScalarOp::Add, d(i), s(i), single, guest);
    case LaneKind::Sub:
      return post_flags(ScalarOp::Add, d(i), -s(i), single, guest);
    case LaneKind::Mul:
      return post_flags(ScalarOp::Mul, d(i), s(i), single, guest);
    case LaneKind::Div:
      return post_flags(ScalarOp::Div, d(i), s(i), single, guest);
    case LaneKind::AddSub:
      return post_flags(ScalarOp::Add, d(i), (i & 1) ? s(i) : -s(i), single, guest);
    case LaneKind::HorizontalAdd:
    case LaneKind::HorizontalSub: {
      // The lower half of the result is from dst, the upper half from src.
      const unsigned half = rule.lanes / 2u;
      const Xmm& from = i < half ? dst : src;
      const unsigned k = (i % half) * 2;
      const double a = element(from, k, single, guest), b = element(from, k + 1, single, guest);
      return post_flags(ScalarOp::Add, a, rule.kind == LaneKind::HorizontalAdd ? b : -b, single,
                        guest);
    }
    case LaneKind::Narrow:  // double to single
      return post_flags(ScalarOp::Mul, element(src, i, false, guest), 1.0, true, guest);
  }
  return 0;
}

}  // namespace

bool settle_unmasked(Cpu& cpu, u32 flags, LaneRule rule, const Vec& dst, const Vec& src) {
  const u32 unmasked = unmasked_exceptions(cpu.mxcsr);
  // An unmasked pre-computation exception of any element stops all before results are known.
  // SDM 1 11.5.3.2 "Handling Unmasked Exceptions".
  const u32 before = flags & mxcsr::PreComputation;
  if (before & unmasked) {
    cpu.mxcsr |= before;
    raise_float_exception(cpu);
    return false;
  }
  if (rule.kind != LaneKind::None) {
    flags = before;
    const Xmm d = to_lanes(dst), s = to_lanes(src);
    for (unsigned i = 0; i < rule.lanes; ++i) flags |= lane_flags(cpu.mxcsr, rule, d, s, i);
  }
  cpu.mxcsr |= flags;
  if ((flags & unmasked) == 0) return true;
  raise_float_exception(cpu);
  return false;
}

}  // namespace softvt::simd
