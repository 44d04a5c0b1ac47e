#include "cpu/sys/rows.h"

#include "cpu/sys/handlers.h"

namespace softvt {
namespace {

constexpr bool kEnds = true;

constexpr InsnRow row(ZydisMnemonic mnemonic, ColdFn fn, bool ends_block = false,
                      Feature feature = Feature::None) {
  return {mnemonic, fn, feature, Unit::Integer, modes::kAll, false, ends_block};
}

// MOV from and to a register share mnemonic and kind of operand; bit 1 of the opcode is the way.
constexpr u8 kToRegister = 2;
Step mov_cr(Cpu& cpu, const Insn& in) {
  return (in.opcode & kToRegister) != 0 ? mov_to_cr(cpu, in) : mov_from_cr(cpu, in);
}
Step mov_dr(Cpu& cpu, const Insn& in) {
  return (in.opcode & kToRegister) != 0 ? mov_to_dr(cpu, in) : mov_from_dr(cpu, in);
}
constexpr InsnRow register_form(ColdFn fn, Operands operands) {
  InsnRow r = row(ZYDIS_MNEMONIC_MOV, fn, kEnds);
  r.operands = operands;
  return r;
}

constexpr InsnRow kRows[] = {
    register_form(mov_cr, Operands::Control),
    register_form(mov_dr, Operands::Debug),
    row(ZYDIS_MNEMONIC_CLTS, clts, kEnds),
    row(ZYDIS_MNEMONIC_LMSW, lmsw, kEnds),
    row(ZYDIS_MNEMONIC_SMSW, smsw),
    row(ZYDIS_MNEMONIC_IN, in_port, kEnds),
    row(ZYDIS_MNEMONIC_OUT, out_port, kEnds),
    row(ZYDIS_MNEMONIC_CLI, cli),
    row(ZYDIS_MNEMONIC_STI, sti, kEnds),
    row(ZYDIS_MNEMONIC_CLAC, clac, kEnds, Feature::Smap),
    row(ZYDIS_MNEMONIC_STAC, stac, kEnds, Feature::Smap),
    row(ZYDIS_MNEMONIC_RDPKRU, rdpkru, false, Feature::Pku),
    row(ZYDIS_MNEMONIC_WRPKRU, wrpkru, kEnds, Feature::Pku),
    row(ZYDIS_MNEMONIC_INVLPG, invlpg, kEnds),
    row(ZYDIS_MNEMONIC_INVPCID, invpcid, kEnds, Feature::Invpcid),
    row(ZYDIS_MNEMONIC_INVD, invd),
    row(ZYDIS_MNEMONIC_WBINVD, wbinvd),
    row(ZYDIS_MNEMONIC_CLZERO, clzero, false, Feature::Clzero),
    row(ZYDIS_MNEMONIC_HLT, hlt, kEnds),
    row(ZYDIS_MNEMONIC_PAUSE, pause),
    row(ZYDIS_MNEMONIC_MONITOR, monitor, false, Feature::Monitor),
    row(ZYDIS_MNEMONIC_MWAIT, mwait, false, Feature::Monitor),
    row(ZYDIS_MNEMONIC_CPUID, cpuid_instruction),
    row(ZYDIS_MNEMONIC_RDTSC, rdtsc, false, Feature::Tsc),
    row(ZYDIS_MNEMONIC_RDTSCP, rdtscp, false, Feature::Rdtscp),
    row(ZYDIS_MNEMONIC_RDPMC, rdpmc),
    row(ZYDIS_MNEMONIC_RDMSR, rdmsr, false, Feature::Msr),
    row(ZYDIS_MNEMONIC_WRMSR, wrmsr, kEnds, Feature::Msr),
    row(ZYDIS_MNEMONIC_RSM, rsm, kEnds),
    row(ZYDIS_MNEMONIC_GETSEC, undefined, kEnds),
};

}  // namespace

std::span<const InsnRow> system_rows() { return kRows; }

}  // namespace softvt
