// Far RET. SDM 2B "RET—Return From Procedure", 3A 5.8.6.
#include "cpu/seg/far.h"
#include "cpu/seg/insns.h"

namespace softvt {

namespace {

struct ReturnAddress {
  u64 ip = 0;
  u64 selector = 0;
};

u64 release_of(const Insn& in) { return in.form == Form::I ? static_cast<u16>(in.imm) : 0; }

Step return_real(Cpu& cpu, const ReturnAddress& to, StackReader& stack) {
  const u16 selector = static_cast<u16>(to.selector);
  if (!check_ip(cpu, real_mode_segment(cpu, Seg::CS, selector), to.ip)) return Step::Fault;
  cpu.r[RSP] = stack.sp();
  commit_real_code(cpu, selector, to.ip);
  return Step::Branch;
}

Step return_outer(Cpu& cpu, const Insn& in, const ReturnAddress& to, const Segment& cs,
                  StackReader& stack) {
  const unsigned level = selector_rpl(cs.selector);
  u64 sp, ss_selector;
  if (!stack.pop(in.opsize, sp) || !stack.pop(in.opsize, ss_selector)) return Step::Fault;
  Segment ss;
  if (!prepare_return_stack(cpu, cs, static_cast<u16>(ss_selector), ss)) return Step::Fault;
  if (!check_ip(cpu, cs, to.ip)) return Step::Fault;
  const bool to_long = cpu.long_mode() && (cs.rights & seg_rights::L) != 0;
  const unsigned width = to_long ? 8 : (ss.rights & seg_rights::DB) ? 4 : 2;
  commit_code(cpu, cs, level, to.ip);
  cpu.set_segment(Seg::SS, ss);
  cpu.r[RSP] = merge_stack_pointer(sp, sp + release_of(in), width);
  drop_inner_segments(cpu);
  return Step::Branch;
}

}  // namespace

Step far_return(Cpu& cpu, const Insn& in) {
  StackReader stack(cpu);
  ReturnAddress to;
  if (!stack.pop(in.opsize, to.ip) || !stack.pop(in.opsize, to.selector)) return Step::Fault;
  stack.skip(release_of(in));
  if (cpu.real_or_v86()) return return_real(cpu, to, stack);
  const u16 selector = static_cast<u16>(to.selector);
  if (!null_selector(selector) && selector_rpl(selector) < cpu.cpl()) {
    return cpu.raise_gp(selector_error(selector));
  }
  Segment cs;
  if (!prepare_return_code_segment(cpu, selector, Vector::GP, cs)) return Step::Fault;
  if (selector_rpl(selector) > cpu.cpl()) return return_outer(cpu, in, to, cs, stack);
  if (!check_ip(cpu, cs, to.ip)) return Step::Fault;
  cpu.r[RSP] = stack.sp();
  commit_code(cpu, cs, cpu.cpl(), to.ip);
  return Step::Branch;
}

}  // namespace softvt
