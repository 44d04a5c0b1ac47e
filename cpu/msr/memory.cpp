// Memory types (PAT, MTRRs), XSS, supervisor protection keys. Memory types have no effect here, but
// what hardware refuses is refused.
#include "cpu/msr/access.h"
#include "cpu/msr/rows.h"
#include "cpu/sys/control_regs.h"

namespace softvt {
namespace {

using namespace msr_access;

// SDM 3A 12.11.1, table 12-8: types an MTRR may have; table 12-10: UC- is the PAT's alone.
bool mtrr_type(u64 type) { return type == 0 || type == 1 || (type >= 4 && type <= 6); }
bool pat_type(u64 type) { return mtrr_type(type) || type == 7; }

template <class Valid>
bool all_bytes(u64 value, Valid valid) {
  for (unsigned shift = 0; shift < 64; shift += 8)
    if (!valid(value >> shift & 0xff)) return false;
  return true;
}

bool write_pat(Cpu& cpu, u32, u64 value) {
  if (!all_bytes(value, pat_type)) return false;
  cpu.msr.pat = value;
  return true;
}

constexpr u64 kVariableCount = std::size(Msrs{}.mtrr_base);
constexpr u64 kMtrrCap = kVariableCount | 1 << 8 /* fixed ranges */ | 1 << 10 /* WC */;

bool write_def_type(Cpu& cpu, u32, u64 value) {
  constexpr u64 kFixedEnable = 1 << 10, kEnable = 1 << 11;
  if ((value & ~(kFixedEnable | kEnable | 0xff)) || !mtrr_type(value & 0xff)) return false;
  cpu.msr.mtrr_def_type = value;
  return true;
}

// 200H, 201H: base and mask of range 0, and so on.
u64& variable(Cpu& cpu, u32 index) {
  const u32 range = (index - 0x200) / 2;
  return (index & 1) ? cpu.msr.mtrr_mask[range] : cpu.msr.mtrr_base[range];
}
bool read_variable(Cpu& cpu, u32 index, u64& value) {
  value = variable(cpu, index);
  return true;
}
bool write_variable(Cpu& cpu, u32 index, u64 value) {
  constexpr u64 kBaseReserved = 0xf00, kMaskReserved = 0x7ff;
  const bool mask = index & 1;
  if ((value >> cpu.phys_bits) || (value & (mask ? kMaskReserved : kBaseReserved))) return false;
  if (!mask && !mtrr_type(value & 0xff)) return false;
  variable(cpu, index) = value;
  return true;
}

// 250H, 258H, 259H, 268H to 26FH.
u64& fixed(Cpu& cpu, u32 index) {
  const u32 slot = index == 0x250 ? 0 : index < 0x268 ? index - 0x257 : index - 0x268 + 3;
  return cpu.msr.mtrr_fixed[slot];
}
bool read_fixed(Cpu& cpu, u32 index, u64& value) {
  value = fixed(cpu, index);
  return true;
}
bool write_fixed(Cpu& cpu, u32 index, u64 value) {
  // APM 2 7.9.1: with SYSCFG.MtrrFixDramModEn bits 4:3 of each type are RdMem and WrMem.
  constexpr u64 kDramModify = 1 << 19, kDramBits = 0x1818181818181818;
  const bool dram_bits = !cpu.intel && (cpu.msr.syscfg & kDramModify);
  if (!all_bytes(dram_bits ? value & ~kDramBits : value, mtrr_type)) return false;
  fixed(cpu, index) = value;
  return true;
}

bool read_pkrs(Cpu& cpu, u32, u64& value) {
  value = cpu.pkrs;
  return true;
}
bool write_pkrs(Cpu& cpu, u32, u64 value) {
  if (value >> 32) return false;
  set_pkrs(cpu, static_cast<u32>(value));
  return true;
}

constexpr u64 kSupervisorStates = 0;  // no component is a supervisor state: CPUID.(0DH,1).ECX

constexpr MsrRow kRows[] = {
    {0xfe, 0xfe, "IA32_MTRRCAP", Feature::Mtrr, read_constant<kMtrrCap>, nullptr},
    {0x200, 0x200 + 2 * kVariableCount - 1, "IA32_MTRR_PHYS", Feature::Mtrr, read_variable,
     write_variable},
    {0x250, 0x250, "IA32_MTRR_FIX64K", Feature::Mtrr, read_fixed, write_fixed},
    {0x258, 0x259, "IA32_MTRR_FIX16K", Feature::Mtrr, read_fixed, write_fixed},
    {0x268, 0x26f, "IA32_MTRR_FIX4K", Feature::Mtrr, read_fixed, write_fixed},
    {0x277, 0x277, "IA32_PAT", Feature::Pat, read_field<&Msrs::pat>, write_pat},
    {0x2ff, 0x2ff, "IA32_MTRR_DEF_TYPE", Feature::Mtrr, read_field<&Msrs::mtrr_def_type>,
     write_def_type},
    {0x6e1, 0x6e1, "IA32_PKRS", Feature::Pks, read_pkrs, write_pkrs},
    {0xda0, 0xda0, "IA32_XSS", Feature::Xsaves, read_field<&Msrs::xss>,
     write_field<&Msrs::xss, kSupervisorStates>},
};

}  // namespace

std::span<const MsrRow> msr_rows::memory() { return kRows; }

}  // namespace softvt
