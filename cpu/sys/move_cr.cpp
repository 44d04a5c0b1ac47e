// MOV to and from control registers, LMSW, SMSW, CLTS.
#include "cpu/access.h"
#include "cpu/apic/local_apic.h"
#include "cpu/sys/control_regs.h"
#include "cpu/sys/handlers.h"
#include "cpu/sys/intercepted.h"
#include "cpu/sys/rows.h"

namespace softvt {
namespace {

constexpr u64 kMswBits = cr0::PE | cr0::MP | cr0::EM | cr0::TS;

bool exists(const Cpu& cpu, unsigned cr) {
  switch (cr) {
    case 0:
    case 2:
    case 3:
    case 4:
      return true;
    case 8:
      return cpu.code64();
    default:
      return false;
  }
}

// Would the write of CRn be refused with #GP?
bool acceptable(const Cpu& cpu, unsigned cr, u64 value) {
  switch (cr) {
    case 0:
      return cr0_acceptable(cpu, cr0_reaching(cpu, value));
    case 3:
      return cr3_acceptable(cpu, value);
    case 4:
      return cr4_acceptable(cpu, cr4_reaching(cpu, value));
    case 8:
      return value < 16;
    default:
      return true;
  }
}

// CR8 is bits 7:4 of the task-priority register. SDM 3A 11.8.6 "Task Priority in IA-32e Mode".
u64 read_cr8(Cpu& cpu) { return cpu.apic ? cpu.apic->cr8() : 0; }
void write_cr8(Cpu& cpu, u64 value) {
  if (cpu.apic) cpu.apic->set_cr8(static_cast<u8>(value));
}

u64 read_cr(Cpu& cpu, unsigned cr) {
  switch (cr) {
    case 0:
      return cr0_seen(cpu);
    case 2:
      return cpu.cr2;
    case 3:
      return cpu.cr3;
    case 4:
      return cr4_seen(cpu);
    default:
      return read_cr8(cpu);
  }
}

// False: a fault is posted.
bool write_cr(Cpu& cpu, unsigned cr, u64 value) {
  switch (cr) {
    case 0:
      return set_cr0(cpu, cr0_reaching(cpu, value));
    case 2:
      cpu.cr2 = value;
      return true;
    case 3:
      return load_cr3(cpu, value);
    case 4:
      return set_cr4(cpu, cr4_reaching(cpu, value));
    default:
      write_cr8(cpu, value);
      return true;
  }
}

}  // namespace

Step mov_from_cr(Cpu& cpu, const Insn& in) {
  const unsigned cr = in.src;
  if (!exists(cpu, cr)) return cpu.raise_ud();
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::CrRead, cr | (in.dst / 8) << 8)) return intercepted_step(cpu);
  const u64 value = read_cr(cpu, cr);
  if (cpu.code64())
    put_reg<u64>(cpu, in.dst, value);
  else
    put_reg<u32>(cpu, in.dst, static_cast<u32>(value));
  return Step::Next;
}

Step mov_to_cr(Cpu& cpu, const Insn& in) {
  const unsigned cr = in.dst;
  if (!exists(cpu, cr)) return cpu.raise_ud();
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  const u64 value = cpu.code64() ? get_reg<u64>(cpu, in.src) : get_reg<u32>(cpu, in.src);
  // APM 2 15.9, table 15-7: SVM checks the value before the intercept; VMX behind the exit, SDM 3C
  // 26.1.1 "Relative Priority of Faults and VM Exits".
  if (!cpu.intel && !acceptable(cpu, cr, value)) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::CrWrite, cr | (in.src / 8) << 8, value))
    return intercepted_step(cpu);
  if (!acceptable(cpu, cr, value)) return cpu.raise_gp(0);
  return write_cr(cpu, cr, value) ? Step::EndBlock : Step::Fault;
}

Step clts(Cpu& cpu, const Insn& in) {
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::Clts)) return intercepted_step(cpu);
  cpu.cr0 = cr0_reaching(cpu, cpu.cr0 & ~cr0::TS);
  cpu.update_mode();
  return Step::EndBlock;
}

// PE can be set but not cleared. SDM 2A "LMSW-Load Machine Status Word".
Step lmsw(Cpu& cpu, const Insn& in) {
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  u16 source;
  u64 linear = 0, from_memory = 0;
  if (in.form == Form::M) {
    if (!operand_address(cpu, in, 2, Access::Read, linear) || !read_linear(cpu, linear, &source, 2))
      return Step::Fault;
    from_memory = 1 << 16;
  } else {
    source = get_reg<u16>(cpu, in.dst);
  }
  if (cpu.intercepted(in, Intercept::Lmsw, source | from_memory, linear))
    return intercepted_step(cpu);
  const u64 kept = ~kMswBits | cr0::PE;
  const u64 value = (cpu.cr0 & kept) | (source & kMswBits);
  return set_cr0(cpu, cr0_reaching(cpu, value)) ? Step::EndBlock : Step::Fault;
}

Step smsw(Cpu& cpu, const Insn& in) {
  if ((cpu.cr4 & cr4::UMIP) && cpu.protected_mode() && cpu.cpl() != 0) return cpu.raise_gp(0);
  // SVM counts SMSW as a read of CR0 (APM 2 15.9); VMX has no exit for it, only the read shadow.
  if (!cpu.intel && cpu.intercepted(in, Intercept::CrRead, 0)) return intercepted_step(cpu);
  const u64 value = cr0_seen(cpu);
  if (in.form == Form::M)
    return store_operand<u16>(cpu, in, static_cast<u16>(value)) ? Step::Next : Step::Fault;
  put_reg_sized(cpu, in.dst, in.opsize, value);
  return Step::Next;
}

}  // namespace softvt
