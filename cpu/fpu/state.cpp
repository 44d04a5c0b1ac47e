#include "cpu/fpu/state.h"

#include "cpu/access.h"

namespace softvt::fpu {

void initialise(X87State& s) {
  s.fcw = kControlInit;
  s.fsw = 0;
  s.tag_valid = 0;
  s.fop = 0;
  s.fip = s.fdp = 0;
  s.fcs = s.fds = 0;
}

static bool stack_fault(X87State& s, u16 codes, u16 c1) {
  set_codes(s, codes & (fsw::C1 | fsw::C2), c1);
  s.fsw = static_cast<u16>(s.fsw | fsw::IE | fsw::SF);
  update_summary(s);
  return (s.fcw & fsw::IE) != 0;
}
bool stack_underflow(X87State& s, u16 codes) { return stack_fault(s, codes, 0); }
bool stack_overflow(X87State& s, u16 codes) { return stack_fault(s, codes, fsw::C1); }

bool settle(X87State& s, u16 host, u16 codes, u16 stopping) {
  const bool stopped = stops(s, host, stopping);
  const u16 seen = stopped ? fsw::PreComputation : fsw::Exceptions;
  if (stopped) {
    set_codes(s, codes & (fsw::C1 | fsw::C2), 0);
  } else {
    set_codes(s, codes, host);
  }
  s.fsw = static_cast<u16>(s.fsw | (host & seen));
  update_summary(s);
  return !stopped;
}

bool begin(Cpu& cpu) {
  if ((cpu.fpu.fsw & fsw::ES) == 0 || (cpu.cr0 & cr0::NE) == 0) return true;
  cpu.raise(Vector::MF);
  return false;
}

void record(Cpu& cpu, const Insn& in) {
  const Encoding code(in);
  X87State& s = cpu.fpu;
  s.fop = code.fop();
  s.fip = cpu.rip;
  s.fcs = cpu.seg[static_cast<unsigned>(Seg::CS)].selector;
  if (!code.memory()) return;
  s.fdp = effective_address(cpu, in);
  s.fds = cpu.seg[in.seg].selector;
}

}  // namespace softvt::fpu
