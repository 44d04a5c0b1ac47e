// The CPUID instruction's answer.
#pragma once
#include "cpu/cpu.h"

namespace softvt {

struct CpuidResult {
  u32 eax = 0, ebx = 0, ecx = 0, edx = 0;
  bool operator==(const CpuidResult&) const = default;
};

CpuidResult cpuid(const Cpu& cpu, u32 leaf, u32 subleaf);

}  // namespace softvt
