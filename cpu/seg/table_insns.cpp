// The registers of the descriptor tables and of the task: LGDT LIDT SGDT SIDT LLDT LTR SLDT STR.
#include "cpu/access.h"
#include "cpu/seg/insns.h"
#include "cpu/seg/load.h"

namespace softvt {

namespace {

// `detail` of the intercepts: bit 0 chooses IDT or TR, bit 1 is set for loads.
constexpr u64 kSecond = 1;
constexpr u64 kLoad = 2;

bool user_forbidden(Cpu& cpu) {
  if (cpu.cpl() == 0) return false;
  cpu.raise_gp(0);
  return true;
}

// CR4.UMIP forbids SGDT, SIDT, SLDT, STR outside CPL 0. SDM 3A 2.5.
bool umip_forbidden(Cpu& cpu) { return (cpu.cr4 & cr4::UMIP) != 0 && user_forbidden(cpu); }

bool selector_operand(Cpu& cpu, const Insn& in, u16& selector) {
  if (in.form != Form::R) return load_operand(cpu, in, selector);
  selector = get_reg<u16>(cpu, in.dst);
  return true;
}

Step store_selector(Cpu& cpu, const Insn& in, Seg which, u64 detail) {
  if (umip_forbidden(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::SldtStr, detail)) return Step::VmExit;
  const u16 selector = cpu.seg[static_cast<unsigned>(which)].selector;
  if (in.form == Form::R) {
    put_reg_sized(cpu, in.dst, in.opsize, selector);
    return Step::Next;
  }
  return store_operand(cpu, in, selector) ? Step::Next : Step::Fault;
}

unsigned table_image_size(const Cpu& cpu) { return cpu.code64() ? 10 : 6; }

Step load_table(Cpu& cpu, const Insn& in, DescriptorTable& table, u64 detail) {
  if (user_forbidden(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::LgdtLidt, detail)) return Step::VmExit;
  const unsigned size = table_image_size(cpu);
  u8 image[10];
  u64 linear;
  if (!operand_address(cpu, in, size, Access::Read, linear)) return Step::Fault;
  if (!read_linear(cpu, linear, image, size)) return Step::Fault;
  DescriptorTable loaded;
  __builtin_memcpy(&loaded.limit, image, 2);
  __builtin_memcpy(&loaded.base, image + 2, size - 2);
  // SDM 2A "LGDT/LIDT": a 16-bit operand size takes 24 bits of the base.
  if (size == 6 && in.opsize == 2) loaded.base &= 0xffffff;
  if (size == 10 && !canonical_for_register(cpu, loaded.base)) return cpu.raise_gp(0);
  table = loaded;
  return Step::Next;
}

Step store_table(Cpu& cpu, const Insn& in, const DescriptorTable& table, u64 detail) {
  if (umip_forbidden(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::SgdtSidt, detail)) return Step::VmExit;
  const unsigned size = table_image_size(cpu);
  u8 image[10];
  __builtin_memcpy(image, &table.limit, 2);
  __builtin_memcpy(image + 2, &table.base, 8);
  u64 linear;
  if (!operand_address(cpu, in, size, Access::Write, linear)) return Step::Fault;
  return write_linear(cpu, linear, image, size) ? Step::Next : Step::Fault;
}

// The descriptor that LTR loads, checked. SDM 2A "LTR".
bool prepare_task_register(Cpu& cpu, u16 selector, Descriptor& d) {
  if (null_selector(selector)) return fail_selector(cpu, Vector::GP, 0);
  if (selector_in_ldt(selector)) return fail_selector(cpu, Vector::GP, selector);
  if (!fetch_descriptor_or_raise(cpu, selector, Vector::GP, d)) return false;
  const bool available = d.task_state() && !d.busy_task();
  if (!available || (cpu.long_mode() && !d.wide_task())) {
    return fail_selector(cpu, Vector::GP, selector);
  }
  if (!d.present()) return fail_selector(cpu, Vector::NP, selector);
  if (!cpu.long_mode()) return true;
  if (!fetch_second_half_or_raise(cpu, selector, Vector::GP, d)) return false;
  if (canonical_for_register(cpu, segment_of(selector, d).base)) return true;
  return fail_selector(cpu, Vector::GP, selector);
}

}  // namespace

Step lldt(Cpu& cpu, const Insn& in) {
  if (user_forbidden(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::LldtLtr, kLoad)) return Step::VmExit;
  u16 selector;
  Segment ldt;
  if (!selector_operand(cpu, in, selector)) return Step::Fault;
  if (!prepare_ldt(cpu, selector, Vector::GP, Vector::NP, ldt)) return Step::Fault;
  cpu.set_segment(Seg::LDTR, ldt);
  return Step::Next;
}

Step ltr(Cpu& cpu, const Insn& in) {
  if (user_forbidden(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::LldtLtr, kLoad | kSecond)) return Step::VmExit;
  u16 selector;
  Descriptor d;
  if (!selector_operand(cpu, in, selector)) return Step::Fault;
  if (!prepare_task_register(cpu, selector, d)) return Step::Fault;
  if (!write_busy(cpu, d, true)) return Step::Fault;
  Segment tr = segment_of(selector, d);
  tr.rights |= 2;  // busy
  cpu.set_segment(Seg::TR, tr);
  return Step::Next;
}

Step sldt(Cpu& cpu, const Insn& in) { return store_selector(cpu, in, Seg::LDTR, 0); }
Step str(Cpu& cpu, const Insn& in) { return store_selector(cpu, in, Seg::TR, kSecond); }
Step lgdt(Cpu& cpu, const Insn& in) { return load_table(cpu, in, cpu.gdtr, kLoad); }
Step lidt(Cpu& cpu, const Insn& in) { return load_table(cpu, in, cpu.idtr, kLoad | kSecond); }
Step sgdt(Cpu& cpu, const Insn& in) { return store_table(cpu, in, cpu.gdtr, 0); }
Step sidt(Cpu& cpu, const Insn& in) { return store_table(cpu, in, cpu.idtr, kSecond); }

}  // namespace softvt
