// Extended page tables. SDM 3C 29.3 "The Extended Page Table Mechanism (EPT)".
#pragma once
#include "cpu/phys_memory.h"
#include "cpu/virt.h"

namespace softvt::vmx {

namespace eptp {
constexpr u64 kAccessedDirty = 1 << 6;
}

struct EptResult {
  enum class Kind : u8 { Mapped, Violation, Misconfiguration } kind = Kind::Mapped;
  SecondStage stage;
  u64 qualification = 0;  // of a violation. SDM 3C 28.2.1, table 28-7
};

struct EptRules {
  u64 eptp = 0;
  unsigned phys_bits = 46;
  bool page_1g = true;
  bool execute_only = true;
  bool mode_based_execute = false;
};

EptResult ept_walk(PhysMemory& mem, const EptRules& rules, u64 gpa, const GpaAccess& access);

}  // namespace softvt::vmx
