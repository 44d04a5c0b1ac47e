// EFER, SYSCALL and SYSENTER, segment bases.
#include "cpu/access.h"
#include "cpu/msr/access.h"
#include "cpu/msr/rows.h"
#include "cpu/sys/control_regs.h"

namespace softvt {
namespace {

using namespace msr_access;

bool read_efer(Cpu& cpu, u32, u64& value) {
  value = cpu.efer;
  return true;
}
bool write_efer(Cpu& cpu, u32, u64 value) {
  return efer_acceptable(cpu, value) && set_efer(cpu, value);
}

// An address that must be canonical. SDM 4 2.1, table 2-2.
template <u64 Msrs::*Field>
bool write_address(Cpu& cpu, u32, u64 value) {
  if (!canonical_for_register(cpu, value)) return false;
  cpu.msr.*Field = value;
  return true;
}
// AMD keeps 32 bits of the SYSENTER registers. APM 2 6.1.2.
template <u64 Msrs::*Field>
bool write_sysenter(Cpu& cpu, u32, u64 value) {
  if (!cpu.intel) value &= 0xffffffff;
  if (!canonical_for_register(cpu, value)) return false;
  cpu.msr.*Field = value;
  return true;
}

template <Seg Which>
bool read_base(Cpu& cpu, u32, u64& value) {
  value = cpu.seg[static_cast<unsigned>(Which)].base;
  return true;
}
template <Seg Which>
bool write_base(Cpu& cpu, u32, u64 value) {
  if (!canonical_for_register(cpu, value)) return false;
  cpu.set_segment_base(Which, value);
  return true;
}

constexpr u64 kLow32 = 0xffffffff;

constexpr MsrRow kRows[] = {
    {0x174, 0x174, "IA32_SYSENTER_CS", Feature::Sep, read_field<&Msrs::sysenter_cs>,
     write_kept<&Msrs::sysenter_cs, kLow32>},
    {0x175, 0x175, "IA32_SYSENTER_ESP", Feature::Sep, read_field<&Msrs::sysenter_esp>,
     write_sysenter<&Msrs::sysenter_esp>},
    {0x176, 0x176, "IA32_SYSENTER_EIP", Feature::Sep, read_field<&Msrs::sysenter_eip>,
     write_sysenter<&Msrs::sysenter_eip>},
    {0xc0000080, 0xc0000080, "IA32_EFER", Feature::LongMode, read_efer, write_efer},
    {0xc0000081, 0xc0000081, "IA32_STAR", Feature::Syscall, read_field<&Msrs::star>,
     write_field<&Msrs::star>},
    {0xc0000082, 0xc0000082, "IA32_LSTAR", Feature::LongMode, read_field<&Msrs::lstar>,
     write_address<&Msrs::lstar>},
    {0xc0000083, 0xc0000083, "IA32_CSTAR", Feature::LongMode, read_field<&Msrs::cstar>,
     write_address<&Msrs::cstar>},
    {0xc0000084, 0xc0000084, "IA32_FMASK", Feature::LongMode, read_field<&Msrs::sfmask>,
     write_kept<&Msrs::sfmask, kLow32>},
    {0xc0000100, 0xc0000100, "IA32_FS_BASE", Feature::LongMode, read_base<Seg::FS>,
     write_base<Seg::FS>},
    {0xc0000101, 0xc0000101, "IA32_GS_BASE", Feature::LongMode, read_base<Seg::GS>,
     write_base<Seg::GS>},
    {0xc0000102, 0xc0000102, "IA32_KERNEL_GS_BASE", Feature::LongMode,
     read_field<&Msrs::kernel_gs_base>, write_address<&Msrs::kernel_gs_base>},
};

}  // namespace

std::span<const MsrRow> msr_rows::syscall() { return kRows; }

}  // namespace softvt
