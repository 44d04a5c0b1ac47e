// SDM 1 7.3.17 "Miscellaneous Instructions": NOP, UD, XLAT; BOUND, RDPID.
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"
#include "cpu/sys/intercepted.h"

namespace softvt::insn {
namespace {

Step nop(Cpu&, const Insn&) { return Step::Next; }

Step undefined(Cpu& cpu, const Insn&) { return cpu.raise_ud(); }

Step xlat(Cpu& cpu, const Insn& in) {
  const u64 offset = (cpu.r[RBX] + get_reg<u8>(cpu, kAl)) & size_mask(in.addrsize);
  u64 linear;
  u8 value;
  if (!segment_address(cpu, static_cast<Seg>(in.seg), offset, 1, Access::Read, linear) ||
      !read_linear(cpu, linear, &value, 1)) {
    return Step::Fault;
  }
  put_reg<u8>(cpu, kAl, value);
  return Step::Next;
}

// The two bounds lie behind each other. SDM 2A "BOUND—Check Array Index Against Bounds".
template <class T>
Step check_bounds(Cpu& cpu, const Insn& in) {
  using Index = std::make_signed_t<T>;
  u64 linear;
  Index lower, upper;
  const Index index = static_cast<Index>(get_reg<T>(cpu, in.dst));
  if (!operand_address(cpu, in, 2 * sizeof(T), Access::Read, linear) ||
      !read_linear(cpu, linear, &lower, sizeof(T))) {
    return Step::Fault;
  }
  // The upper bound is not read if the lower one decides.
  if (index < lower) return cpu.raise(Vector::BR);
  if (!read_linear(cpu, linear + sizeof(T), &upper, sizeof(T))) return Step::Fault;
  return index > upper ? cpu.raise(Vector::BR) : Step::Next;
}

Step bound(Cpu& cpu, const Insn& in) {
  return in.opsize == 2 ? check_bounds<u16>(cpu, in) : check_bounds<u32>(cpu, in);
}

Step rdpid(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, Intercept::Rdpid)) return intercepted_step(cpu);
  // The operand is 64 bits wide in 64-bit mode; either way the upper half comes out as 0.
  put_reg<u32>(cpu, in.dst, static_cast<u32>(cpu.msr.tsc_aux));
  return Step::Next;
}

constexpr auto kInteger = Unit::Integer;
constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_NOP, nop},
    // NOPs of the 0F 18 - 0F 1F range that other processors give a meaning: without CET and MPX
    // they do nothing. SDM 2D appendix A, table A-3, "Reserved NOP".
    {ZYDIS_MNEMONIC_ENDBR32, nop},
    {ZYDIS_MNEMONIC_ENDBR64, nop},
    {ZYDIS_MNEMONIC_RDSSPD, nop},
    {ZYDIS_MNEMONIC_RDSSPQ, nop},
    {ZYDIS_MNEMONIC_BNDCL, nop},
    {ZYDIS_MNEMONIC_BNDCN, nop},
    {ZYDIS_MNEMONIC_BNDCU, nop},
    {ZYDIS_MNEMONIC_BNDLDX, nop},
    {ZYDIS_MNEMONIC_BNDMK, nop},
    {ZYDIS_MNEMONIC_BNDMOV, nop},
    {ZYDIS_MNEMONIC_BNDSTX, nop},
    {.mnemonic = ZYDIS_MNEMONIC_UD0, .fn = undefined, .ends_block = true},
    {.mnemonic = ZYDIS_MNEMONIC_UD1, .fn = undefined, .ends_block = true},
    {.mnemonic = ZYDIS_MNEMONIC_UD2, .fn = undefined, .ends_block = true},
    {ZYDIS_MNEMONIC_XLAT, xlat},
    {ZYDIS_MNEMONIC_BOUND, bound, Feature::None, kInteger, modes::kNot64},
    {ZYDIS_MNEMONIC_RDPID, rdpid, Feature::Rdpid},
};

}  // namespace

std::span<const InsnRow> misc_rows() { return kRows; }

}  // namespace softvt::insn
