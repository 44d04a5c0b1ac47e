// SDM 2B "PUSHF/PUSHFD/PUSHFQ", "POPF/POPFD/POPFQ"; SDM 3B 21.3 for virtual-8086 mode extensions.
#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"
#include "cpu/insn/stack_cursor.h"

namespace softvt::insn {
namespace {

unsigned iopl(const Cpu& cpu) { return (cpu.rflags_rest & rflags::IOPL) >> 12; }

// In virtual-8086 mode with IOPL below 3, only the 16-bit forms exist, and only with CR4.VME: they
// work on VIF in the place of IF.
bool uses_virtual_if(const Cpu& cpu) { return cpu.v86() && iopl(cpu) < 3; }
bool virtual_if_refused(const Cpu& cpu, const Insn& in) {
  return uses_virtual_if(cpu) && (in.opsize != 2 || !(cpu.cr4 & cr4::VME));
}

// Both intercepts have priority over every exception. APM 2 15.7, table 15-7.
Step pushf(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, Intercept::Pushf)) return Step::VmExit;
  if (virtual_if_refused(cpu, in)) return cpu.raise_gp(0);
  u64 image = cpu.flags() & ~(rflags::VM | rflags::RF);
  if (uses_virtual_if(cpu)) {
    const bool vif = (image & rflags::VIF) != 0;
    image = (image & ~rflags::IF) | rflags::IOPL | flag_if(vif, rflags::IF);
  }
  return push(cpu, image, in.opsize) ? Step::Next : Step::Fault;
}

// The flags that POPF may change, by mode and privilege. SDM 2B "POPF", table 4-16.
u64 writable_flags(const Cpu& cpu, unsigned size) {
  u64 mask = rflags::Arithmetic | rflags::TF | rflags::DF | rflags::NT;
  if (size != 2) mask |= rflags::AC | rflags::ID;
  const bool most_privileged = !cpu.protected_mode() || (!cpu.v86() && cpu.cpl() == 0);
  if (most_privileged) return mask | rflags::IF | rflags::IOPL;
  const unsigned privilege = cpu.v86() ? 3 : cpu.cpl();
  return privilege <= iopl(cpu) ? mask | rflags::IF : mask;
}

Step load_flags(Cpu& cpu, u64 image, unsigned size) {
  const u64 mask = writable_flags(cpu, size);
  u64 flags = (cpu.flags() & ~mask) | (image & mask);
  if (size != 2) flags &= ~rflags::RF;
  constexpr u64 kQuiet = rflags::Arithmetic | rflags::DF | rflags::NT;
  if (((flags ^ cpu.flags()) & ~kQuiet) == 0 && !(flags & rflags::TF)) {
    cpu.rflags_rest = flags & ~rflags::Arithmetic;
    cpu.set_arithmetic_flags(flags);
    return Step::Next;
  }
  cpu.set_flags(flags);
  return Step::EndBlock;
}

Step load_virtual_flags(Cpu& cpu, u64 image) {
  constexpr u64 kMask = rflags::Arithmetic | rflags::DF | rflags::NT | rflags::VIF;
  const u64 vif = flag_if(image & rflags::IF, rflags::VIF);
  cpu.set_flags((cpu.flags() & ~kMask) | (image & kMask & 0xffff) | vif);
  return Step::EndBlock;
}

Step popf(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, Intercept::Popf)) return Step::VmExit;
  if (virtual_if_refused(cpu, in)) return cpu.raise_gp(0);
  StackCursor stack(cpu);
  u64 image;
  if (!stack.pop(image, in.opsize)) return Step::Fault;
  if (uses_virtual_if(cpu)) {
    const bool pending = (cpu.rflags_rest & rflags::VIP) && (image & rflags::IF);
    if (pending || (image & rflags::TF)) return cpu.raise_gp(0);
    stack.commit();
    return load_virtual_flags(cpu, image);
  }
  stack.commit();
  return load_flags(cpu, image, in.opsize);
}

constexpr auto kInteger = Unit::Integer;
constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_PUSHF, pushf},
    {ZYDIS_MNEMONIC_PUSHFD, pushf, Feature::None, kInteger, modes::kNot64},
    {ZYDIS_MNEMONIC_PUSHFQ, pushf, Feature::None, kInteger, modes::k64},
    {ZYDIS_MNEMONIC_POPF, popf},
    {ZYDIS_MNEMONIC_POPFD, popf, Feature::None, kInteger, modes::kNot64},
    {ZYDIS_MNEMONIC_POPFQ, popf, Feature::None, kInteger, modes::k64},
};

}  // namespace

std::span<const InsnRow> flags_stack_rows() { return kRows; }

}  // namespace softvt::insn
