// Decimal arithmetic. SDM 2A "AAA", "AAD", "AAM", "AAS", "DAA", "DAS"; SDM 1 7.3.4.
// Undefined flags: OF is 0 in all of them, CF and AF in AAM and AAD; ZF, SF and PF of AAA and AAS
// are those of AL.
#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"

namespace softvt::insn {
namespace {

enum class After : u8 { Addition, Subtraction };

// DAA, DAS: AL is made two packed digits.
template <After kAfter>
Step adjust_packed(Cpu& cpu, const Insn&) {
  const u64 before = cpu.arithmetic_flags();
  const u8 old_al = get_reg<u8>(cpu, kAl);
  unsigned al = old_al;
  u64 flags = 0;
  const auto step = [](unsigned v, unsigned by) {
    return kAfter == After::Addition ? v + by : v - by;
  };
  if ((old_al & 0xf) > 9 || (before & rflags::AF)) {
    al = step(al, 6);
    flags |= rflags::AF | (before & rflags::CF) | flag_if(al > 0xff, rflags::CF);
  }
  if (old_al > 0x99 || (before & rflags::CF)) {
    al = step(al, 0x60);
    flags |= rflags::CF;
  } else if (kAfter == After::Addition) {
    flags &= ~rflags::CF;
  }
  put_reg<u8>(cpu, kAl, static_cast<u8>(al));
  cpu.set_arithmetic_flags(flags | result_flags(static_cast<u8>(al)));
  return Step::Next;
}

// AAA, AAS: AL is made one unpacked digit, the carry goes to AH.
template <After kAfter>
Step adjust_unpacked(Cpu& cpu, const Insn&) {
  u16 ax = get_reg<u16>(cpu, kAx);
  u64 flags = 0;
  if ((ax & 0xf) > 9 || (cpu.arithmetic_flags() & rflags::AF)) {
    ax = static_cast<u16>(kAfter == After::Addition ? ax + 0x106 : ax - 0x106);
    flags = rflags::AF | rflags::CF;
  }
  ax &= 0xff0f;
  put_reg<u16>(cpu, kAx, ax);
  cpu.set_arithmetic_flags(flags | result_flags(static_cast<u8>(ax)));
  return Step::Next;
}

Step aam(Cpu& cpu, const Insn& in) {
  const u8 base = static_cast<u8>(in.imm), al = get_reg<u8>(cpu, kAl);
  if (base == 0) return cpu.raise(Vector::DE);
  put_reg<u8>(cpu, kAh, al / base);
  put_reg<u8>(cpu, kAl, al % base);
  cpu.set_arithmetic_flags(result_flags(static_cast<u8>(al % base)));
  return Step::Next;
}

Step aad(Cpu& cpu, const Insn& in) {
  const u8 base = static_cast<u8>(in.imm);
  const u8 al = static_cast<u8>(get_reg<u8>(cpu, kAl) + get_reg<u8>(cpu, kAh) * base);
  put_reg<u16>(cpu, kAx, al);
  cpu.set_arithmetic_flags(result_flags(al));
  return Step::Next;
}

constexpr auto kInteger = Unit::Integer;
constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_DAA, adjust_packed<After::Addition>, Feature::None, kInteger, modes::kNot64},
    {ZYDIS_MNEMONIC_DAS, adjust_packed<After::Subtraction>, Feature::None, kInteger, modes::kNot64},
    {ZYDIS_MNEMONIC_AAA, adjust_unpacked<After::Addition>, Feature::None, kInteger, modes::kNot64},
    {ZYDIS_MNEMONIC_AAS, adjust_unpacked<After::Subtraction>, Feature::None, kInteger,
     modes::kNot64},
    {ZYDIS_MNEMONIC_AAM, aam, Feature::None, kInteger, modes::kNot64},
    {ZYDIS_MNEMONIC_AAD, aad, Feature::None, kInteger, modes::kNot64},
};

}  // namespace

std::span<const InsnRow> decimal_rows() { return kRows; }

}  // namespace softvt::insn
