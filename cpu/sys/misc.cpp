// CPUID, time-stamp and performance counters, MSRs, and instructions of modes that do not exist.
#include "cpu/cpuid/cpuid.h"
#include "cpu/msr/msr_table.h"
#include "cpu/sys/handlers.h"
#include "cpu/sys/intercepted.h"

namespace softvt {
namespace {

void put_edx_eax(Cpu& cpu, u64 value) {
  put_reg<u32>(cpu, RAX * 8, static_cast<u32>(value));
  put_reg<u32>(cpu, RDX * 8, static_cast<u32>(value >> 32));
}

u64 edx_eax(const Cpu& cpu) {
  return u64{get_reg<u32>(cpu, RDX * 8)} << 32 | get_reg<u32>(cpu, RAX * 8);
}

bool tsc_refused(const Cpu& cpu) { return (cpu.cr4 & cr4::TSD) && cpu.cpl() != 0; }

}  // namespace

Step cpuid_instruction(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, Intercept::Cpuid)) return intercepted_step(cpu);
  const CpuidResult result = cpuid(cpu, get_reg<u32>(cpu, RAX * 8), get_reg<u32>(cpu, RCX * 8));
  put_reg<u32>(cpu, RAX * 8, result.eax);
  put_reg<u32>(cpu, RBX * 8, result.ebx);
  put_reg<u32>(cpu, RCX * 8, result.ecx);
  put_reg<u32>(cpu, RDX * 8, result.edx);
  return Step::Next;
}

Step rdtsc(Cpu& cpu, const Insn& in) {
  if (tsc_refused(cpu)) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::Rdtsc)) return intercepted_step(cpu);
  put_edx_eax(cpu, cpu.tsc());
  return Step::Next;
}

Step rdtscp(Cpu& cpu, const Insn& in) {
  if (tsc_refused(cpu)) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::Rdtscp)) return intercepted_step(cpu);
  put_edx_eax(cpu, cpu.tsc());
  put_reg<u32>(cpu, RCX * 8, static_cast<u32>(cpu.msr.tsc_aux));
  return Step::Next;
}

// No model of Intel's has performance counters (CPUID leaf 0AH is zero). Every AMD processor has
// four, which here do not count. APM 2 13.2.1 "Performance Counter MSRs".
Step rdpmc(Cpu& cpu, const Insn& in) {
  if ((cpu.cr4 & cr4::PCE) == 0 && cpu.cpl() != 0) return cpu.raise_gp(0);
  if (cpu.intercepted(in, Intercept::Rdpmc)) return intercepted_step(cpu);
  constexpr u32 kAmdCounters = 4;
  if (cpu.intel || get_reg<u32>(cpu, RCX * 8) >= kAmdCounters) return cpu.raise_gp(0);
  put_edx_eax(cpu, 0);
  return Step::Next;
}

// An intercept precedes the question whether the MSR exists. SDM 3C 26.1.3, APM 2 15.11.
Step rdmsr(Cpu& cpu, const Insn& in) {
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  const u32 index = get_reg<u32>(cpu, RCX * 8);
  if (cpu.intercepted(in, Intercept::Rdmsr, index)) return intercepted_step(cpu);
  cpu.sync_time();
  u64 value = 0;
  if (!cpu.msrs || !cpu.msrs->read(cpu, index, value)) return cpu.raise_gp(0);
  put_edx_eax(cpu, value);
  return Step::Next;
}

Step wrmsr(Cpu& cpu, const Insn& in) {
  if (cpu.cpl() != 0) return cpu.raise_gp(0);
  const u32 index = get_reg<u32>(cpu, RCX * 8);
  const u64 value = edx_eax(cpu);
  if (cpu.intercepted(in, Intercept::Wrmsr, index, value)) return intercepted_step(cpu);
  cpu.sync_time();
  if (!cpu.msrs || !cpu.msrs->write(cpu, index, value)) return cpu.raise_gp(0);
  return Step::EndBlock;
}

// Outside SMM it does not exist, but SVM's intercept comes first. SDM 2B "RSM", APM 2 15.9,
// table 15-7.
Step rsm(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, Intercept::Rsm)) return intercepted_step(cpu);
  return cpu.raise_ud();
}

// GETSEC with CR4.SMXE clear. SDM 2D "GETSEC".
Step undefined(Cpu& cpu, const Insn&) { return cpu.raise_ud(); }

}  // namespace softvt
