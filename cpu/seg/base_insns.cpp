// Bases of FS and GS: RDFSBASE and its kin, SWAPGS.
#include "cpu/access.h"
#include "cpu/seg/insns.h"

namespace softvt {

namespace {

// SDM 2B "RDFSBASE/RDGSBASE": #UD if CR4.FSGSBASE is 0.
bool enabled(Cpu& cpu) {
  if (cpu.cr4 & cr4::FSGSBASE) return true;
  cpu.raise_ud();
  return false;
}

// 66 does not make it 16 bits.
unsigned operand_size(const Insn& in) { return (in.prefixes & prefix::kRexW) != 0 ? 8 : 4; }

Step read_base(Cpu& cpu, const Insn& in, Seg which) {
  if (!enabled(cpu)) return Step::Fault;
  put_reg_sized(cpu, in.dst, operand_size(in), cpu.seg[static_cast<unsigned>(which)].base);
  return Step::Next;
}

Step write_base(Cpu& cpu, const Insn& in, Seg which) {
  if (!enabled(cpu)) return Step::Fault;
  const u64 base = get_reg_sized(cpu, in.dst, operand_size(in));
  if (!canonical_for_register(cpu, base)) return cpu.raise_gp(0);
  cpu.set_segment_base(which, base);
  return Step::Next;
}

}  // namespace

Step rdfsbase(Cpu& cpu, const Insn& in) { return read_base(cpu, in, Seg::FS); }
Step rdgsbase(Cpu& cpu, const Insn& in) { return read_base(cpu, in, Seg::GS); }
Step wrfsbase(Cpu& cpu, const Insn& in) { return write_base(cpu, in, Seg::FS); }
Step wrgsbase(Cpu& cpu, const Insn& in) { return write_base(cpu, in, Seg::GS); }

Step swapgs(Cpu& cpu, const Insn&) {
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  const u64 base = cpu.seg[static_cast<unsigned>(Seg::GS)].base;
  cpu.set_segment_base(Seg::GS, cpu.msr.kernel_gs_base);
  cpu.msr.kernel_gs_base = base;
  return Step::Next;
}

}  // namespace softvt
