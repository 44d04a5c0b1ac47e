// MSR-load and MSR-store areas. SDM 3C 27.4 "Loading MSRs", 28.4 "Saving MSRs", 28.6 "Loading
// MSRs".
#include <utility>

#include "cpu/apic/local_apic.h"
#include "cpu/msr/msr_table.h"
#include "cpu/phys_memory.h"
#include "vmx/extension.h"

namespace softvt::vmx {
namespace {

// SDM 3C 25.7.2, table 25-14 "Format of an MSR Entry".
struct MsrEntry {
  u32 index = 0, reserved = 0;
  u64 value = 0;
};
static_assert(sizeof(MsrEntry) == 16);

constexpr u32 kFsBase = 0xc0000100, kGsBase = 0xc0000101, kSmmMonitorCtl = 0x9b,
              kBiosUpdateTrigger = 0x79, kSmbase = 0x9e;

bool x2apic_register(const Cpu& cpu, u32 index) {
  return (index >> 8) == 8 && cpu.apic != nullptr && cpu.apic->x2apic_mode();
}

bool may_load(const Cpu& cpu, const MsrEntry& e, bool entry) {
  if (e.reserved != 0 || e.index == kFsBase || e.index == kGsBase || e.index == kSmmMonitorCtl)
    return false;
  if (entry && e.index == kBiosUpdateTrigger) return false;
  return !x2apic_register(cpu, e.index);
}

bool may_store(const Cpu& cpu, const MsrEntry& e) {
  return e.reserved == 0 && e.index != kSmbase && !x2apic_register(cpu, e.index);
}

}  // namespace

u32 VmxExtension::load_msrs(Cpu& cpu, u64 area, u32 count, bool entry) {
  if (cpu.timeline != nullptr) cpu.sync_time();  // for the MSRs that count
  for (u32 i = 0; i < count; ++i) {
    MsrEntry e;
    // More than IA32_VMX_MISC recommends is undefined; it must end some time.
    if (i >= caps_.msr_list_limit() || !cpu.mem->read(area + 16 * u64{i}, &e, sizeof(e)))
      return i + 1;
    if (!may_load(cpu, e, entry) || cpu.msrs == nullptr || !cpu.msrs->write(cpu, e.index, e.value))
      return i + 1;
  }
  return 0;
}

// SDM 3C 28.4: the IA32_TIME_STAMP_COUNTER that is stored has no TSC offset in it.
u32 VmxExtension::store_msrs(Cpu& cpu, u64 area, u32 count) {
  const u64 offset = std::exchange(cpu.guest_tsc_offset, 0);
  const u32 bad = store_each_msr(cpu, area, count);
  cpu.guest_tsc_offset = offset;
  return bad;
}

u32 VmxExtension::store_each_msr(Cpu& cpu, u64 area, u32 count) {
  for (u32 i = 0; i < count; ++i) {
    const u64 at = area + 16 * u64{i};
    MsrEntry e;
    if (i >= caps_.msr_list_limit() || !cpu.mem->read(at, &e, sizeof(e))) return i + 1;
    if (!may_store(cpu, e) || cpu.msrs == nullptr || !cpu.msrs->read(cpu, e.index, e.value))
      return i + 1;
    if (!cpu.mem->write(at, &e, sizeof(e))) return i + 1;
  }
  return 0;
}

}  // namespace softvt::vmx
