// Instructions that read or write single flags. SDM 1 7.3.15 "Flag Control (EFLAG) Instructions".
#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"

namespace softvt::insn {
namespace {

// The flags that LAHF and SAHF move: the lower byte of RFLAGS.
constexpr u64 kLowFlags = rflags::SF | rflags::ZF | rflags::AF | rflags::PF | rflags::CF;

// In 64-bit mode they exist if CPUID.80000001H:ECX.LAHF-SAHF[0] says so.
bool lahf_sahf_exist(const Cpu& cpu) { return !cpu.code64() || cpu.has(Feature::LahfSahf); }

Step lahf(Cpu& cpu, const Insn&) {
  if (!lahf_sahf_exist(cpu)) return cpu.raise_ud();
  put_reg<u8>(cpu, kAh, static_cast<u8>((cpu.arithmetic_flags() & kLowFlags) | rflags::Fixed1));
  return Step::Next;
}

Step sahf(Cpu& cpu, const Insn&) {
  if (!lahf_sahf_exist(cpu)) return cpu.raise_ud();
  change_flags(cpu, kLowFlags, get_reg<u8>(cpu, kAh));
  return Step::Next;
}

Step clc(Cpu& cpu, const Insn&) {
  change_flags(cpu, rflags::CF, 0);
  return Step::Next;
}

Step stc(Cpu& cpu, const Insn&) {
  change_flags(cpu, rflags::CF, rflags::CF);
  return Step::Next;
}

Step cmc(Cpu& cpu, const Insn&) {
  change_flags(cpu, rflags::CF, ~cpu.arithmetic_flags());
  return Step::Next;
}

Step cld(Cpu& cpu, const Insn&) {
  cpu.rflags_rest &= ~rflags::DF;
  return Step::Next;
}

Step std_(Cpu& cpu, const Insn&) {
  cpu.rflags_rest |= rflags::DF;
  return Step::Next;
}

// Opcode D6 is in neither vendor's instruction reference. Every processor executes it: AL becomes
// FFH if CF is set, else 0.
Step salc(Cpu& cpu, const Insn&) {
  put_reg<u8>(cpu, kAl, (cpu.arithmetic_flags() & rflags::CF) ? 0xff : 0);
  return Step::Next;
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_LAHF, lahf},
    {ZYDIS_MNEMONIC_SAHF, sahf},
    {ZYDIS_MNEMONIC_CLC, clc},
    {ZYDIS_MNEMONIC_STC, stc},
    {ZYDIS_MNEMONIC_CMC, cmc},
    {ZYDIS_MNEMONIC_CLD, cld},
    {ZYDIS_MNEMONIC_STD, std_},
    {ZYDIS_MNEMONIC_SALC, salc, Feature::None, Unit::Integer, modes::kNot64},
};

}  // namespace

std::span<const InsnRow> flag_control_rows() { return kRows; }

}  // namespace softvt::insn
