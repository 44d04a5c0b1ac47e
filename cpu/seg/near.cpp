// Near transfers inside the current code segment, for every mode and operand size. The core has
// faster forms for 64-bit mode; these are the general ones.
#include "cpu/access.h"
#include "cpu/seg/insns.h"
#include "cpu/seg/load.h"

namespace softvt {

namespace {

// In 64-bit mode near branches are 64 bits wide; 66 is ignored by Intel and heeded by AMD.
// SDM 1 6.3.7, APM 3 1.2.3 "Operand-Size Override Prefix".
unsigned branch_size(const Cpu& cpu, const Insn& in) {
  if (cpu.code64()) return !cpu.intel && in.opsize == 2 ? 2 : 8;
  return in.opsize == 2 ? 2 : 4;
}

const Segment& code_segment(const Cpu& cpu) { return cpu.seg[static_cast<unsigned>(Seg::CS)]; }

// Where the branch goes; false if a fault is posted (memory operand, limit, canonical).
bool target_of(Cpu& cpu, const Insn& in, unsigned size, u64& target) {
  target = 0;
  if (in.form == Form::R) {
    target = get_reg_sized(cpu, in.dst, size);
  } else if (in.form == Form::M) {
    u64 linear;
    if (!operand_address(cpu, in, size, Access::Read, linear)) return false;
    if (!read_linear(cpu, linear, &target, size)) return false;
  } else {
    target = (cpu.next_rip + static_cast<u64>(in.imm)) & size_mask(size);
  }
  return check_ip(cpu, code_segment(cpu), target);
}

Step branch(Cpu& cpu, const Insn& in) {
  u64 target;
  if (!target_of(cpu, in, branch_size(cpu, in), target)) return Step::Fault;
  cpu.rip = target;
  return Step::Branch;
}

u64 counter(const Cpu& cpu, const Insn& in) { return cpu.r[RCX] & size_mask(in.addrsize); }

// SDM 1 appendix B, table B-1 "EFLAGS Condition Codes".
bool condition_holds(u64 f, u8 opcode) {
  const bool sign_differs = ((f & rflags::SF) != 0) != ((f & rflags::OF) != 0);
  bool holds = false;
  switch ((opcode >> 1) & 7) {
    case 0:
      holds = (f & rflags::OF) != 0;
      break;
    case 1:
      holds = (f & rflags::CF) != 0;
      break;
    case 2:
      holds = (f & rflags::ZF) != 0;
      break;
    case 3:
      holds = (f & (rflags::CF | rflags::ZF)) != 0;
      break;
    case 4:
      holds = (f & rflags::SF) != 0;
      break;
    case 5:
      holds = (f & rflags::PF) != 0;
      break;
    case 6:
      holds = sign_differs;
      break;
    case 7:
      holds = sign_differs || (f & rflags::ZF) != 0;
      break;
  }
  return holds != ((opcode & 1) != 0);
}

constexpr u8 kLoopne = 0xe0, kLoope = 0xe1;

}  // namespace

Step near_jump(Cpu& cpu, const Insn& in) { return branch(cpu, in); }

Step near_call(Cpu& cpu, const Insn& in) {
  const unsigned size = branch_size(cpu, in);
  u64 target;
  if (!target_of(cpu, in, size, target)) return Step::Fault;
  if (!push(cpu, cpu.next_rip, size)) return Step::Fault;
  cpu.rip = target;
  return Step::Branch;
}

Step near_return(Cpu& cpu, const Insn& in) {
  const u64 old_rsp = cpu.r[RSP];
  u64 target;
  if (!pop(cpu, target, branch_size(cpu, in))) return Step::Fault;
  if (!check_ip(cpu, code_segment(cpu), target)) {
    cpu.r[RSP] = old_rsp;
    return Step::Fault;
  }
  const u64 release = in.form == Form::I ? static_cast<u16>(in.imm) : 0;
  if (release != 0) set_stack_pointer(cpu, stack_pointer(cpu) + release);
  cpu.rip = target;
  return Step::Branch;
}

Step jump_if(Cpu& cpu, const Insn& in) {
  return condition_holds(cpu.arithmetic_flags(), in.opcode) ? branch(cpu, in) : Step::Next;
}

Step loop(Cpu& cpu, const Insn& in) {
  const u64 left = (counter(cpu, in) - 1) & size_mask(in.addrsize);
  bool taken = left != 0;
  if (in.opcode == kLoope || in.opcode == kLoopne) {
    const bool zero = (cpu.arithmetic_flags() & rflags::ZF) != 0;
    taken = taken && zero == (in.opcode == kLoope);
  }
  Step step = Step::Next;
  if (taken) step = branch(cpu, in);
  if (step != Step::Fault) put_reg_sized(cpu, RCX * 8, in.addrsize, left);
  return step;
}

Step jump_if_counter_zero(Cpu& cpu, const Insn& in) {
  return counter(cpu, in) == 0 ? branch(cpu, in) : Step::Next;
}

}  // namespace softvt
