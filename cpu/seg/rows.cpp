#include "cpu/seg/rows.h"

#include <array>

#include "cpu/seg/insns.h"

namespace softvt {

namespace {

constexpr u8 kFarReturnImm = 0xca, kFarReturn = 0xcb;

// A far pointer in memory is two bytes longer than the operand size; a near one is not.
bool is_far(const Insn& in) {
  return in.form == Form::Far || (in.form == Form::M && in.msize > in.opsize);
}

}  // namespace

Step any_jump(Cpu& cpu, const Insn& in) {
  return is_far(in) ? far_jump(cpu, in) : near_jump(cpu, in);
}
Step any_call(Cpu& cpu, const Insn& in) {
  return is_far(in) ? far_call(cpu, in) : near_call(cpu, in);
}
Step any_return(Cpu& cpu, const Insn& in) {
  const bool far = in.opcode == kFarReturn || in.opcode == kFarReturnImm;
  return far ? far_return(cpu, in) : near_return(cpu, in);
}

namespace {

constexpr InsnRow row(ZydisMnemonic m, ColdFn fn, Feature feature = Feature::None,
                      u8 modes = modes::kAll, bool ends_block = false) {
  return InsnRow{m, fn, feature, Unit::Integer, modes, false, ends_block};
}
constexpr InsnRow branch(ZydisMnemonic m, ColdFn fn, u8 modes = modes::kAll) {
  return row(m, fn, Feature::None, modes, true);
}
constexpr InsnRow condition(ZydisMnemonic m) { return row(m, jump_if); }
constexpr InsnRow selector(ZydisMnemonic m, ColdFn fn, u8 modes = modes::kProtectedOnly) {
  return row(m, fn, Feature::None, modes);
}

// MOV, PUSH and POP with a segment register.
constexpr InsnRow segment_form(ZydisMnemonic m, ColdFn fn) {
  InsnRow r = row(m, fn);
  r.operands = Operands::Segment;
  return r;
}
// MOV from and to a segment register share mnemonic and kind of operand.
constexpr u8 kMovToSegment = 0x8e;
Step mov_segment(Cpu& cpu, const Insn& in) {
  return in.opcode == kMovToSegment ? mov_to_sreg(cpu, in) : mov_from_sreg(cpu, in);
}

constexpr std::array kRows = {
    segment_form(ZYDIS_MNEMONIC_MOV, mov_segment),
    segment_form(ZYDIS_MNEMONIC_PUSH, push_sreg),
    segment_form(ZYDIS_MNEMONIC_POP, pop_sreg),

    branch(ZYDIS_MNEMONIC_JMP, any_jump),
    branch(ZYDIS_MNEMONIC_CALL, any_call),
    branch(ZYDIS_MNEMONIC_RET, any_return),
    branch(ZYDIS_MNEMONIC_IRET, iret, modes::kAll),
    branch(ZYDIS_MNEMONIC_IRETD, iret, modes::kAll),
    branch(ZYDIS_MNEMONIC_IRETQ, iret, modes::k64),

    condition(ZYDIS_MNEMONIC_JB),
    condition(ZYDIS_MNEMONIC_JBE),
    condition(ZYDIS_MNEMONIC_JL),
    condition(ZYDIS_MNEMONIC_JLE),
    condition(ZYDIS_MNEMONIC_JNB),
    condition(ZYDIS_MNEMONIC_JNBE),
    condition(ZYDIS_MNEMONIC_JNL),
    condition(ZYDIS_MNEMONIC_JNLE),
    condition(ZYDIS_MNEMONIC_JNO),
    condition(ZYDIS_MNEMONIC_JNP),
    condition(ZYDIS_MNEMONIC_JNS),
    condition(ZYDIS_MNEMONIC_JNZ),
    condition(ZYDIS_MNEMONIC_JO),
    condition(ZYDIS_MNEMONIC_JP),
    condition(ZYDIS_MNEMONIC_JS),
    condition(ZYDIS_MNEMONIC_JZ),
    row(ZYDIS_MNEMONIC_LOOP, loop),
    row(ZYDIS_MNEMONIC_LOOPE, loop),
    row(ZYDIS_MNEMONIC_LOOPNE, loop),
    row(ZYDIS_MNEMONIC_JCXZ, jump_if_counter_zero),
    row(ZYDIS_MNEMONIC_JECXZ, jump_if_counter_zero),
    row(ZYDIS_MNEMONIC_JRCXZ, jump_if_counter_zero),

    branch(ZYDIS_MNEMONIC_INT, int_n),
    branch(ZYDIS_MNEMONIC_INT3, int3),
    branch(ZYDIS_MNEMONIC_INT1, int1),
    row(ZYDIS_MNEMONIC_INTO, into, Feature::None, modes::kNot64),
    row(ZYDIS_MNEMONIC_SYSCALL, syscall, Feature::Syscall, modes::kAll, true),
    row(ZYDIS_MNEMONIC_SYSRET, sysret, Feature::Syscall, modes::kAll, true),
    row(ZYDIS_MNEMONIC_SYSENTER, sysenter, Feature::Sep, modes::kAll, true),
    row(ZYDIS_MNEMONIC_SYSEXIT, sysexit, Feature::Sep, modes::kAll, true),

    row(ZYDIS_MNEMONIC_LDS, lds, Feature::None, modes::kNot64, true),
    row(ZYDIS_MNEMONIC_LES, les, Feature::None, modes::kNot64, true),
    row(ZYDIS_MNEMONIC_LFS, lfs, Feature::None, modes::kAll, true),
    row(ZYDIS_MNEMONIC_LGS, lgs, Feature::None, modes::kAll, true),
    row(ZYDIS_MNEMONIC_LSS, lss, Feature::None, modes::kAll, true),

    selector(ZYDIS_MNEMONIC_LLDT, lldt),
    selector(ZYDIS_MNEMONIC_LTR, ltr),
    selector(ZYDIS_MNEMONIC_SLDT, sldt),
    selector(ZYDIS_MNEMONIC_STR, str),
    selector(ZYDIS_MNEMONIC_LAR, lar),
    selector(ZYDIS_MNEMONIC_LSL, lsl),
    selector(ZYDIS_MNEMONIC_VERR, verr),
    selector(ZYDIS_MNEMONIC_VERW, verw),
    selector(ZYDIS_MNEMONIC_ARPL, arpl, modes::kNot64Protected),
    row(ZYDIS_MNEMONIC_LGDT, lgdt),
    row(ZYDIS_MNEMONIC_LIDT, lidt),
    row(ZYDIS_MNEMONIC_SGDT, sgdt),
    row(ZYDIS_MNEMONIC_SIDT, sidt),

    row(ZYDIS_MNEMONIC_RDFSBASE, rdfsbase, Feature::FsGsBase, modes::k64),
    row(ZYDIS_MNEMONIC_RDGSBASE, rdgsbase, Feature::FsGsBase, modes::k64),
    row(ZYDIS_MNEMONIC_WRFSBASE, wrfsbase, Feature::FsGsBase, modes::k64),
    row(ZYDIS_MNEMONIC_WRGSBASE, wrgsbase, Feature::FsGsBase, modes::k64),
    row(ZYDIS_MNEMONIC_SWAPGS, swapgs, Feature::LongMode, modes::k64),
};

}  // namespace

std::span<const InsnRow> segment_rows() { return kRows; }

}  // namespace softvt
