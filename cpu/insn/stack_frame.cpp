// SDM 2A "ENTER—Make Stack Frame for Procedure Parameters", "LEAVE—High Level Procedure Exit";
// SDM 1 6.6.
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"
#include "cpu/insn/stack_cursor.h"

namespace softvt::insn {
namespace {

void put_frame_pointer(Cpu& cpu, unsigned size, u64 value) {
  for_word_size(size, [&](auto zero) {
    using T = decltype(zero);
    put_reg<T>(cpu, kBp, static_cast<T>(value));
    return Step::Next;
  });
}

// Pushes the frame pointers of the enclosing procedures, then the one of the new frame.
bool copy_display(const Cpu& cpu, StackCursor& stack, unsigned level, unsigned size, u64 frame) {
  u64 outer = cpu.r[RBP];
  for (unsigned i = 1; i < level; ++i) {
    outer -= size;
    u64 pointer;
    if (!stack.read_at(outer, pointer, size) || !stack.push(pointer, size)) return false;
  }
  return level == 0 || stack.push(frame, size);
}

Step enter(Cpu& cpu, const Insn& in) {
  const unsigned level = static_cast<unsigned>(in.disp) & 31;
  const u64 bytes = static_cast<u16>(in.imm);
  StackCursor stack(cpu);
  if (!stack.push(cpu.r[RBP], in.opsize)) return Step::Fault;
  const u64 frame = stack.pointer();
  if (!copy_display(cpu, stack, level, in.opsize, frame)) return Step::Fault;
  stack.skip(-static_cast<i64>(bytes));
  if (!stack.writable(in.opsize)) return Step::Fault;
  stack.commit();
  // A 16-bit stack gives a frame pointer of 16 bits, with a 32-bit operand the rest comes from ESP.
  const unsigned frame_size = stack_size(cpu) < in.opsize ? stack_size(cpu) : in.opsize;
  put_frame_pointer(cpu, frame_size, frame);
  return Step::Next;
}

Step leave(Cpu& cpu, const Insn& in) {
  StackCursor stack(cpu);
  stack.set_pointer(cpu.r[RBP]);
  u64 frame;
  if (!stack.pop(frame, in.opsize)) return Step::Fault;
  stack.commit();
  put_frame_pointer(cpu, in.opsize, frame);
  return Step::Next;
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_ENTER, enter},
    {ZYDIS_MNEMONIC_LEAVE, leave},
};

}  // namespace

std::span<const InsnRow> stack_frame_rows() { return kRows; }

}  // namespace softvt::insn
