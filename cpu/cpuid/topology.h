// CPUID leaves about caches and about how the vcpus sit in the package: one package, one thread a
// core, APIC ids from 0 without gaps.
#pragma once
#include "cpu/cpuid/cpuid.h"
#include "cpu/cpuid/model.h"

namespace softvt {

u32 topology_shift(const Cpu& cpu);  // APIC id bits that number the cores of the package
inline u32 topology_ids(const Cpu& cpu) { return 1u << topology_shift(cpu); }

CpuidResult cache_leaf_intel(const Cpu& cpu, u32 subleaf);  // 4
CpuidResult topology_leaf(const Cpu& cpu, u32 subleaf);     // 0BH, 1FH
CpuidResult l1_leaf_amd(const Cpu& cpu);                    // 80000005H
CpuidResult l2_leaf(const Cpu& cpu);                        // 80000006H
CpuidResult cache_leaf_amd(const Cpu& cpu, u32 subleaf);    // 8000001DH
CpuidResult topology_leaf_amd(const Cpu& cpu);              // 8000001EH

}  // namespace softvt
