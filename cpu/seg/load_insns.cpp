// MOV, PUSH and POP with segment registers, and the loads of far pointers.
#include "cpu/access.h"
#include "cpu/seg/insns.h"
#include "cpu/seg/load.h"

namespace softvt {

namespace {

constexpr u8 kGsNumber = static_cast<u8>(Seg::GS);

// Loading SS by MOV or POP holds back events for one instruction. SDM 3A 6.8.3 "Masking Exceptions
// and Interrupts When Switching Stacks".
void hold_events_after(Cpu& cpu, Seg loaded) {
  if (loaded == Seg::SS) cpu.shadow = Shadow::MovSs;
}

Step load_far_pointer(Cpu& cpu, const Insn& in, Seg which) {
  // AMD has no 64-bit form: the offset has 32 bits. APM 3 "LDS LES LFS LGS LSS".
  const unsigned size = !cpu.intel && in.opsize == 8 ? 4 : in.opsize;
  u64 linear;
  u64 offset = 0;
  u8 image[10];
  if (!operand_address(cpu, in, size + 2, Access::Read, linear)) return Step::Fault;
  if (!read_linear(cpu, linear, image, size + 2)) return Step::Fault;
  u16 selector;
  __builtin_memcpy(&offset, image, size);
  __builtin_memcpy(&selector, image + size, 2);
  if (!load_segment(cpu, which, selector)) return Step::Fault;
  put_reg_sized(cpu, in.dst, in.opsize, offset);
  return Step::EndBlock;
}

}  // namespace

Step mov_to_sreg(Cpu& cpu, const Insn& in) {
  if (in.dst > kGsNumber || static_cast<Seg>(in.dst) == Seg::CS) return cpu.raise_ud();
  u16 selector;
  if (in.form == Form::RR) {
    selector = get_reg<u16>(cpu, in.src);
  } else if (!load_operand(cpu, in, selector)) {
    return Step::Fault;
  }
  const Seg which = static_cast<Seg>(in.dst);
  if (!load_segment(cpu, which, selector)) return Step::Fault;
  hold_events_after(cpu, which);
  return Step::EndBlock;
}

Step mov_from_sreg(Cpu& cpu, const Insn& in) {
  if (in.src > kGsNumber) return cpu.raise_ud();
  const u16 selector = cpu.seg[in.src].selector;
  if (in.form == Form::RR) {
    put_reg_sized(cpu, in.dst, in.opsize, selector);
    return Step::Next;
  }
  return store_operand(cpu, in, selector) ? Step::Next : Step::Fault;
}

Step push_sreg(Cpu& cpu, const Insn& in) {
  if (in.dst > kGsNumber) return cpu.raise_ud();
  const u16 selector = cpu.seg[in.dst].selector;
  if (in.opsize != 4 || !cpu.intel) {
    return push(cpu, selector, in.opsize) ? Step::Next : Step::Fault;
  }
  // With a 32-bit operand Intel moves RSP by four but writes two bytes only. SDM 2B "PUSH".
  const u64 top = (stack_pointer(cpu) - 4) & size_mask(stack_size(cpu));
  u64 linear;
  if (!segment_address(cpu, Seg::SS, top, 2, Access::Write, linear)) return Step::Fault;
  if (!write_linear(cpu, linear, &selector, 2)) return Step::Fault;
  set_stack_pointer(cpu, top);
  return Step::Next;
}

Step pop_sreg(Cpu& cpu, const Insn& in) {
  if (in.dst > kGsNumber || static_cast<Seg>(in.dst) == Seg::CS) return cpu.raise_ud();
  const Seg which = static_cast<Seg>(in.dst);
  const u64 old_rsp = cpu.r[RSP];
  u64 selector;
  if (!pop(cpu, selector, in.opsize)) return Step::Fault;
  // RSP moved with the size of the old stack; it is restored if the load faults.
  if (!load_segment(cpu, which, static_cast<u16>(selector))) {
    cpu.r[RSP] = old_rsp;
    return Step::Fault;
  }
  hold_events_after(cpu, which);
  return Step::EndBlock;
}

Step lds(Cpu& cpu, const Insn& in) { return load_far_pointer(cpu, in, Seg::DS); }
Step les(Cpu& cpu, const Insn& in) { return load_far_pointer(cpu, in, Seg::ES); }
Step lfs(Cpu& cpu, const Insn& in) { return load_far_pointer(cpu, in, Seg::FS); }
Step lgs(Cpu& cpu, const Insn& in) { return load_far_pointer(cpu, in, Seg::GS); }
Step lss(Cpu& cpu, const Insn& in) { return load_far_pointer(cpu, in, Seg::SS); }

}  // namespace softvt
