// Instructions that ask about selectors without loading them: LAR LSL VERR VERW ARPL.
// They report in ZF; only reading the selector or the table can fault.
#include "cpu/access.h"
#include "cpu/seg/descriptor.h"
#include "cpu/seg/insns.h"

namespace softvt {

namespace {

// Types of system descriptors that LAR and LSL accept, one bit each.
// SDM 2A "LAR" table 3-53, "LSL" table 3-56 "Segment and Gate Types".
constexpr u16 types(std::initializer_list<SystemType> list) {
  u16 mask = 0;
  for (const SystemType t : list) mask = static_cast<u16>(mask | 1 << static_cast<unsigned>(t));
  return mask;
}
constexpr u16 kLongLsl =
    types({SystemType::Ldt, SystemType::Tss32Available, SystemType::Tss32Busy});
constexpr u16 kLongLar = kLongLsl | types({SystemType::CallGate32});
constexpr u16 kLegacyLsl = kLongLsl | types({SystemType::Tss16Available, SystemType::Tss16Busy});
constexpr u16 kLegacyLar =
    kLegacyLsl | types({SystemType::CallGate16, SystemType::TaskGate, SystemType::CallGate32});

void set_zero_flag(Cpu& cpu, bool on) {
  const u64 f = cpu.arithmetic_flags() & ~rflags::ZF;
  cpu.set_arithmetic_flags(on ? f | rflags::ZF : f);
}

// The selector stands in `src` (LAR, LSL) or `dst` (VERR, VERW), or in memory.
bool selector_operand(Cpu& cpu, const Insn& in, u16& selector) {
  if (in.form == Form::RR)
    selector = get_reg<u16>(cpu, in.src);
  else if (in.form == Form::R)
    selector = get_reg<u16>(cpu, in.dst);
  else
    return load_operand(cpu, in, selector);
  return true;
}

bool level_allows(const Cpu& cpu, u16 selector, const Descriptor& d) {
  return d.conforming() || (cpu.cpl() <= d.dpl() && selector_rpl(selector) <= d.dpl());
}

// Fetches the descriptor that the operand names; `found` is false if there is none or the level
// forbids it. Returns false on a fault.
bool visible_descriptor(Cpu& cpu, const Insn& in, Descriptor& d, bool& found, u16& selector) {
  found = false;
  if (!selector_operand(cpu, in, selector)) return false;
  if (null_selector(selector)) return true;
  const Fetch result = fetch_descriptor(cpu, selector, d);
  if (result == Fetch::Fault) return false;
  found = result == Fetch::Found && level_allows(cpu, selector, d);
  return true;
}

Step inspect(Cpu& cpu, const Insn& in, u16 long_types, u16 legacy_types,
             u64 (*value)(u16 selector, const Descriptor& d)) {
  Descriptor d;
  bool found;
  u16 selector;
  if (!visible_descriptor(cpu, in, d, found, selector)) return Step::Fault;
  if (found && d.system()) {
    const u16 allowed = cpu.long_mode() ? long_types : legacy_types;
    found = ((allowed >> d.type()) & 1) != 0;
  }
  if (found) put_reg_sized(cpu, in.dst, in.opsize, value(selector, d));
  set_zero_flag(cpu, found);
  return Step::Next;
}

Step verify(Cpu& cpu, const Insn& in, bool (Descriptor::*allows)() const) {
  Descriptor d;
  bool found;
  u16 selector;
  if (!visible_descriptor(cpu, in, d, found, selector)) return Step::Fault;
  set_zero_flag(cpu, found && (d.*allows)());
  return Step::Next;
}

}  // namespace

Step lar(Cpu& cpu, const Insn& in) {
  return inspect(cpu, in, kLongLar, kLegacyLar,
                 [](u16, const Descriptor& d) { return (d.low >> 32) & 0x00ffff00; });
}

Step lsl(Cpu& cpu, const Insn& in) {
  return inspect(cpu, in, kLongLsl, kLegacyLsl, [](u16 selector, const Descriptor& d) {
    return u64{segment_of(selector, d).limit};
  });
}

Step verr(Cpu& cpu, const Insn& in) { return verify(cpu, in, &Descriptor::readable); }
Step verw(Cpu& cpu, const Insn& in) { return verify(cpu, in, &Descriptor::writable); }

Step arpl(Cpu& cpu, const Insn& in) {
  const u16 rpl = get_reg<u16>(cpu, in.src) & 3;
  u16 selector;
  u64 linear = 0;
  if (in.form == Form::RR) {
    selector = get_reg<u16>(cpu, in.dst);
  } else {
    if (!operand_address(cpu, in, 2, Access::ReadWrite, linear)) return Step::Fault;
    // Without an adjustment nothing is written.
    if (!read_linear(cpu, linear, &selector, 2)) return Step::Fault;
  }
  const bool raised = (selector & 3) < rpl;
  if (raised) {
    selector = static_cast<u16>((selector & ~3) | rpl);
    if (in.form == Form::RR)
      put_reg<u16>(cpu, in.dst, selector);
    else if (!write_linear(cpu, linear, &selector, 2))
      return Step::Fault;
  }
  set_zero_flag(cpu, raised);
  return Step::Next;
}

}  // namespace softvt
