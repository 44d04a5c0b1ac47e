// Building blocks of MSR rows.
#pragma once
#include "cpu/cpu.h"
#include "cpu/msr/msr_table.h"

namespace softvt::msr_access {

using Msrs = Cpu::Msrs;

// A field of Cpu::Msrs as the whole MSR.
template <u64 Msrs::*Field>
bool read_field(Cpu& cpu, u32, u64& value) {
  value = cpu.msr.*Field;
  return true;
}
// Bits outside Allowed are reserved (#GP).
template <u64 Msrs::*Field, u64 Allowed = ~u64{0}>
bool write_field(Cpu& cpu, u32, u64 value) {
  if (value & ~Allowed) return false;
  cpu.msr.*Field = value;
  return true;
}
// Bits outside Kept are ignored.
template <u64 Msrs::*Field, u64 Kept>
bool write_kept(Cpu& cpu, u32, u64 value) {
  cpu.msr.*Field = value & Kept;
  return true;
}

template <u64 Value>
bool read_constant(Cpu&, u32, u64& value) {
  value = Value;
  return true;
}
inline bool write_ignored(Cpu&, u32, u64) { return true; }

}  // namespace softvt::msr_access
