// Machine check: two banks in which no error ever is. SDM 3B 16.3 "Machine-Check MSRs".
#include "cpu/msr/access.h"
#include "cpu/msr/rows.h"

namespace softvt {
namespace {

using namespace msr_access;

constexpr u32 kBanks = 2;
constexpr u64 kMcgCtlPresent = 1 << 8;

// 16.3.1.3: MCG_CTL takes all ones or zero.
bool write_mcg_ctl(Cpu& cpu, u32, u64 value) {
  if (value != 0 && value != ~u64{0}) return false;
  cpu.msr.mcg_ctl = value;
  return true;
}

// Registers 4n: CTL (which errors are reported: none exists, so it reads 0), 4n + 1: STATUS,
// 4n + 2: ADDR, 4n + 3: MISC. 16.3.2.2: software may clear STATUS, ADDR and MISC, writing ones is
// #GP.
bool write_bank(Cpu&, u32 index, u64 value) { return (index & 3) == 0 || value == 0; }

constexpr MsrRow kRows[] = {
    {0x179, 0x179, "IA32_MCG_CAP", Feature::Mca, read_constant<kBanks | kMcgCtlPresent>, nullptr},
    {0x17a, 0x17a, "IA32_MCG_STATUS", Feature::Mca, read_field<&Msrs::mcg_status>,
     write_field<&Msrs::mcg_status, 0x7>},
    {0x17b, 0x17b, "IA32_MCG_CTL", Feature::Mca, read_field<&Msrs::mcg_ctl>, write_mcg_ctl},
    {0x400, 0x400 + 4 * kBanks - 1, "IA32_MC", Feature::Mca, read_constant<0>, write_bank},
};

}  // namespace

std::span<const MsrRow> msr_rows::machine_check() { return kRows; }

}  // namespace softvt
