// HLT, PAUSE, MONITOR, MWAIT.
#include "cpu/access.h"
#include "cpu/paging/walk.h"
#include "cpu/phys_memory.h"
#include "cpu/sys/handlers.h"
#include "cpu/sys/intercepted.h"

namespace softvt {
namespace {

Step wait_as(Cpu& cpu, Activity activity) {
  cpu.activity = activity;
  cpu.rip = cpu.next_rip;
  return Step::Stop;
}

}  // namespace

Step hlt(Cpu& cpu, const Insn& in) {
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::Hlt)) return intercepted_step(cpu);
  return wait_as(cpu, Activity::Halt);
}

Step pause(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, Intercept::Pause)) return intercepted_step(cpu);
  return Step::Next;
}

// SDM 2B "MONITOR-Set Up Monitor Address". monitor_address is the physical address: other vcpus
// write through mappings of their own.
Step monitor(Cpu& cpu, const Insn& in) {
  if (cpu.cpl() != 0) return cpu.raise_ud();
  if (get_reg<u32>(cpu, RCX * 8) != 0) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::Monitor)) return intercepted_step(cpu);
  const Seg seg = in.seg <= static_cast<u8>(Seg::GS) ? static_cast<Seg>(in.seg) : Seg::DS;
  u64 linear;
  u8 byte;
  if (!segment_address(cpu, seg, get_reg_sized(cpu, RAX * 8, in.addrsize), 1, Access::Read,
                       linear) ||
      !read_linear(cpu, linear, &byte, 1))
    return Step::Fault;
  cpu.monitor_armed = peek(cpu, linear, cpu.monitor_address);
  return Step::Next;
}

// SDM 2B "MWAIT-Monitor Wait".
Step mwait(Cpu& cpu, const Insn& in) {
  if (cpu.cpl() != 0) return cpu.raise_ud();
  constexpr u32 kBreakOnMasked = 1;
  const u32 extensions = get_reg<u32>(cpu, RCX * 8);
  if (extensions & ~kBreakOnMasked) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::Mwait, cpu.monitor_armed)) return intercepted_step(cpu);
  if (!cpu.monitor_armed) return Step::Next;
  cpu.monitor_armed = false;
  cpu.mwait_breaks_masked = (extensions & kBreakOnMasked) != 0;
  cpu.monitor_seen = cpu.mem->read_any(cpu.monitor_address & ~u64{7}, 8);
  return wait_as(cpu, Activity::Mwait);
}

}  // namespace softvt
