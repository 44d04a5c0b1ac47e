// The functions behind the rows of system_rows().
#pragma once
#include "cpu/insn.h"

namespace softvt {

// move_cr.cpp
Step clts(Cpu& cpu, const Insn& in);
Step lmsw(Cpu& cpu, const Insn& in);
Step smsw(Cpu& cpu, const Insn& in);

// io.cpp
Step in_port(Cpu& cpu, const Insn& in);
Step out_port(Cpu& cpu, const Insn& in);

// flag_control.cpp
Step cli(Cpu& cpu, const Insn& in);
Step sti(Cpu& cpu, const Insn& in);
Step clac(Cpu& cpu, const Insn& in);
Step stac(Cpu& cpu, const Insn& in);
Step rdpkru(Cpu& cpu, const Insn& in);
Step wrpkru(Cpu& cpu, const Insn& in);

// cache_control.cpp
Step invlpg(Cpu& cpu, const Insn& in);
Step invpcid(Cpu& cpu, const Insn& in);
Step invd(Cpu& cpu, const Insn& in);
Step wbinvd(Cpu& cpu, const Insn& in);
Step clzero(Cpu& cpu, const Insn& in);

// waiting.cpp
Step hlt(Cpu& cpu, const Insn& in);
Step pause(Cpu& cpu, const Insn& in);
Step monitor(Cpu& cpu, const Insn& in);
Step mwait(Cpu& cpu, const Insn& in);

// misc.cpp
Step cpuid_instruction(Cpu& cpu, const Insn& in);
Step rdtsc(Cpu& cpu, const Insn& in);
Step rdtscp(Cpu& cpu, const Insn& in);
Step rdpmc(Cpu& cpu, const Insn& in);
Step rdmsr(Cpu& cpu, const Insn& in);
Step wrmsr(Cpu& cpu, const Insn& in);
Step undefined(Cpu& cpu, const Insn& in);
Step rsm(Cpu& cpu, const Insn& in);

}  // namespace softvt
