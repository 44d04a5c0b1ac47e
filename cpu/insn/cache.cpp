// Hints, cache line instructions and fences. softvt has no caches and executes in program order, so
// what is left are the faults. SDM 2A "CLFLUSH", "CLFLUSHOPT", "CLWB", SDM 2B "PREFETCHh".
#include "cpu/insn/host_span.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"
#include "cpu/paging/walk.h"

namespace softvt::insn {
namespace {

Step nothing(Cpu&, const Insn&) { return Step::Next; }

// The permission checks of a byte load, without the load: device registers must not be read.
Step flush_line(Cpu& cpu, const Insn& in) {
  u64 linear;
  if (!operand_address(cpu, in, 1, Access::Read, linear)) return Step::Fault;
  if (host_span(cpu, linear, 1, false)) return Step::Next;
  Mapping mapping;
  const WalkAccess access{.user = cpu.cpl() == 3};
  return walk(cpu, linear, access, mapping) ? Step::Next : Step::Fault;
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_CLFLUSH, flush_line, Feature::Clfsh},
    {ZYDIS_MNEMONIC_CLFLUSHOPT, flush_line, Feature::Clflushopt},
    {ZYDIS_MNEMONIC_CLWB, flush_line, Feature::Clwb},
    {ZYDIS_MNEMONIC_CLDEMOTE, nothing},
    {ZYDIS_MNEMONIC_PREFETCH, nothing},
    {ZYDIS_MNEMONIC_PREFETCHW, nothing},
    {ZYDIS_MNEMONIC_PREFETCHWT1, nothing},
    {ZYDIS_MNEMONIC_PREFETCHNTA, nothing},
    {ZYDIS_MNEMONIC_PREFETCHT0, nothing},
    {ZYDIS_MNEMONIC_PREFETCHT1, nothing},
    {ZYDIS_MNEMONIC_PREFETCHT2, nothing},
    {ZYDIS_MNEMONIC_SFENCE, nothing, Feature::Sse},
    {ZYDIS_MNEMONIC_LFENCE, nothing, Feature::Sse2},
    {ZYDIS_MNEMONIC_MFENCE, nothing, Feature::Sse2},
    {ZYDIS_MNEMONIC_SERIALIZE, nothing, Feature::Serialize},
};

}  // namespace

std::span<const InsnRow> cache_rows() { return kRows; }

}  // namespace softvt::insn
