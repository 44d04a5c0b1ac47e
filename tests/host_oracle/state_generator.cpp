#include "tests/host_oracle/state_generator.h"

#include "tests/host_oracle/values.h"

namespace softvt::oracle {
namespace {

constexpr u16 kExceptions = 0x3f, kSummary = 0x8080;
constexpr u32 kMxcsrMasks = 0x1f80;

bool is_x87(ZydisISASet set, ZydisInstructionCategory category) {
  return set == ZYDIS_ISA_SET_X87 || category == ZYDIS_CATEGORY_X87_ALU;
}

u16 random_control(Random& random) {
  u16 fcw = 0x37f;
  if (random.percent(50)) fcw = static_cast<u16>((fcw & 0xff) | (random.next() & 0xf00));
  if (random.percent(10))
    fcw = static_cast<u16>((fcw & ~kExceptions) | (random.next() & kExceptions));
  return fcw;
}

// ES and B as the flags and masks demand; pending exceptions are rare.
u16 random_status(Random& random, u16 fcw) {
  u16 fsw = static_cast<u16>(random.next() & 0x7f7f);
  if (random.percent(50)) fsw = static_cast<u16>(fsw & ~(kExceptions | 0x40));
  if (!random.percent(3)) fsw = static_cast<u16>(fsw & ~(~fcw & kExceptions));
  return (fsw & ~fcw & kExceptions) != 0 ? fsw | kSummary : fsw;
}

u32 random_mxcsr(Random& random) {
  u32 mxcsr = kMxcsrMasks;
  if (random.percent(60)) mxcsr |= random.next() & 0x6000;
  if (random.percent(20)) mxcsr |= random.next() & 0x8040;
  if (random.percent(30)) mxcsr |= random.next() & kExceptions;
  if (random.percent(15)) mxcsr &= ~(random.next() & kMxcsrMasks);
  return mxcsr;
}

}  // namespace

u64 random_flags(Random& random, bool string) {
  u64 flags = kDefaultFlags | (random.next() & rflags::Arithmetic);
  if (random.percent(string ? 40 : 5)) flags |= rflags::DF;
  if (random.percent(4)) flags |= rflags::AC;
  if (random.percent(2)) flags |= rflags::TF;
  return flags;
}

void fill_fx(Random& random, ZydisISASet set, ZydisInstructionCategory category, FxImage& fx) {
  if (is_x87(set, category) || random.percent(10)) {
    const u16 fcw = random_control(random);
    fx_put<u16>(fx, kFxFcw, fcw);
    fx_put<u16>(fx, kFxFsw, random_status(random, fcw));
    fx[kFxFtw] = random.percent(60)   ? 0xff
                 : random.percent(60) ? static_cast<u8>(random.next())
                                      : 0;
  }
  for (unsigned i = 0; i < 8; ++i) edge_extended(random, fx.data() + kFxSt + i * kFxStride);
  fx_put<u32>(fx, kFxMxcsr, random_mxcsr(random));
  u8* const xmm = fx.data() + kFxXmm;
  for (unsigned i = 0; i < 16; ++i) {
    edge_vector(random, i == 0 ? nullptr : xmm + random.below(i) * kFxStride, xmm + i * kFxStride);
  }
  if (set == ZYDIS_ISA_SET_PENTIUMMMX || category == ZYDIS_CATEGORY_MMX) {
    for (unsigned i = 0; i < 8; ++i) {
      edge_vector(random, xmm, fx.data() + kFxSt + i * kFxStride);
      fx_put<u64>(fx, kFxSt + i * kFxStride + 8, 0xffff);
    }
  }
}

}  // namespace softvt::oracle
