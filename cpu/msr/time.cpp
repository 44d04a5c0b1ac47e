// TSC, TSC_ADJUST, TSC_DEADLINE, TSC_AUX, the local APIC.
#include "cpu/apic/local_apic.h"
#include "cpu/msr/access.h"
#include "cpu/msr/rows.h"

namespace softvt {
namespace {

using namespace msr_access;

// The TSC without the offset of guest mode: writes go to this one. SDM 3C 26.3.
u64 own_tsc(const Cpu& cpu) {
  const u64 now = cpu.timeline ? cpu.timeline->now() : 0;
  return now * kTscTicksPerNano + static_cast<u64>(cpu.tsc_offset);
}

void move_tsc(Cpu& cpu, u64 delta) {
  cpu.tsc_offset = static_cast<i64>(static_cast<u64>(cpu.tsc_offset) + delta);
  cpu.msr.tsc_adjust += delta;  // SDM 3B 18.17.3 "Time-Stamp Counter Adjustment"
  if (cpu.apic) cpu.apic->tsc_changed();
}

bool read_tsc(Cpu& cpu, u32, u64& value) {
  value = cpu.tsc();
  return true;
}
bool write_tsc(Cpu& cpu, u32, u64 value) {
  move_tsc(cpu, value - own_tsc(cpu));
  return true;
}
bool write_tsc_adjust(Cpu& cpu, u32, u64 value) {
  move_tsc(cpu, value - cpu.msr.tsc_adjust);
  return true;
}
bool read_deadline(Cpu& cpu, u32, u64& value) {
  value = cpu.apic ? cpu.apic->tsc_deadline() : 0;
  return true;
}
bool write_deadline(Cpu& cpu, u32, u64 value) {
  if (cpu.apic) cpu.apic->set_tsc_deadline(value);
  return true;
}
// Intel reserves the upper half; AMD ignores it.
bool write_tsc_aux(Cpu& cpu, u32, u64 value) {
  if (cpu.intel && (value >> 32)) return false;
  cpu.msr.tsc_aux = value & 0xffffffff;
  return true;
}

bool read_apic_base(Cpu& cpu, u32, u64& value) {
  value = cpu.apic ? cpu.apic->apic_base() : 0;
  return cpu.apic != nullptr;
}
bool write_apic_base(Cpu& cpu, u32, u64 value) {
  if (!cpu.apic || !cpu.apic->set_apic_base(value)) return false;
  cpu.tlb_flush_everything();  // another page is, or is no longer, the APIC's
  return true;
}
bool read_x2apic(Cpu& cpu, u32 index, u64& value) {
  return cpu.apic && cpu.apic->msr_read(index, value);
}
bool write_x2apic(Cpu& cpu, u32 index, u64 value) {
  return cpu.apic && cpu.apic->msr_write(index, value);
}

constexpr MsrRow kRows[] = {
    {0x10, 0x10, "IA32_TIME_STAMP_COUNTER", Feature::Tsc, read_tsc, write_tsc},
    {0x1b, 0x1b, "IA32_APIC_BASE", Feature::Apic, read_apic_base, write_apic_base},
    {0x3b, 0x3b, "IA32_TSC_ADJUST", Feature::TscAdjust, read_field<&Msrs::tsc_adjust>,
     write_tsc_adjust},
    {0x6e0, 0x6e0, "IA32_TSC_DEADLINE", Feature::TscDeadline, read_deadline, write_deadline},
    {0x800, 0x8ff, "X2APIC", Feature::X2apic, read_x2apic, write_x2apic},
    {0xc0000103, 0xc0000103, "IA32_TSC_AUX", Feature::Rdtscp, read_field<&Msrs::tsc_aux>,
     write_tsc_aux},
};

}  // namespace

std::span<const MsrRow> msr_rows::time() { return kRows; }

}  // namespace softvt
