// SDM 2B "PUSH", "POP", "PUSHA/PUSHAD", "POPA/POPAD". Those of segment registers are in cpu/seg/.
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"
#include "cpu/insn/stack_cursor.h"

namespace softvt::insn {
namespace {

Step push_any(Cpu& cpu, const Insn& in) {
  if (in.form == Form::I) {
    return push(cpu, static_cast<u64>(in.imm), in.opsize) ? Step::Next : Step::Fault;
  }
  return for_word_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    T value;
    if (!fetch(cpu, in, in.dst, value)) return Step::Fault;
    return push(cpu, value, sizeof(T)) ? Step::Next : Step::Fault;
  });
}

Step pop_any(Cpu& cpu, const Insn& in) {
  return for_word_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    const u64 old_rsp = cpu.r[RSP];
    u64 value;
    if (!pop(cpu, value, sizeof(T))) return Step::Fault;
    if (!has_memory(in)) {
      put_reg<T>(cpu, in.dst, static_cast<T>(value));  // POP rSP: the popped value stays
      return Step::Next;
    }
    // An address that uses RSP is computed from the incremented RSP.
    if (store_operand<T>(cpu, in, static_cast<T>(value))) return Step::Next;
    cpu.r[RSP] = old_rsp;
    return Step::Fault;
  });
}

Step push_all(Cpu& cpu, const Insn& in) {
  StackCursor stack(cpu);
  const u64 sp = cpu.r[RSP], at = stack.pointer();
  if (cpu.real_or_v86() && at >= 7 && at <= 15 && at % 2 == 1) return cpu.raise_gp(0);
  for (const u8 reg : {RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI}) {
    if (!stack.push(reg == RSP ? sp : cpu.r[reg], in.opsize)) return Step::Fault;
  }
  stack.commit();
  return Step::Next;
}

Step pop_all(Cpu& cpu, const Insn& in) {
  StackCursor stack(cpu);
  u64 values[8];
  for (u64& value : values) {
    if (!stack.pop(value, in.opsize)) return Step::Fault;
  }
  stack.commit();
  constexpr u8 kOrder[8] = {RDI, RSI, RBP, RSP, RBX, RDX, RCX, RAX};
  for (unsigned i = 0; i < 8; ++i) {
    if (kOrder[i] == RSP) continue;  // the stored SP is skipped
    if (in.opsize == 2) {
      put_reg<u16>(cpu, kOrder[i] * 8, static_cast<u16>(values[i]));
    } else {
      put_reg<u32>(cpu, kOrder[i] * 8, static_cast<u32>(values[i]));
    }
  }
  return Step::Next;
}

constexpr auto kInteger = Unit::Integer;
constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_PUSH, push_any},
    {ZYDIS_MNEMONIC_POP, pop_any},
    {ZYDIS_MNEMONIC_PUSHA, push_all, Feature::None, kInteger, modes::kNot64},
    {ZYDIS_MNEMONIC_PUSHAD, push_all, Feature::None, kInteger, modes::kNot64},
    {ZYDIS_MNEMONIC_POPA, pop_all, Feature::None, kInteger, modes::kNot64},
    {ZYDIS_MNEMONIC_POPAD, pop_all, Feature::None, kInteger, modes::kNot64},
};

}  // namespace

std::span<const InsnRow> push_pop_rows() { return kRows; }

}  // namespace softvt::insn
