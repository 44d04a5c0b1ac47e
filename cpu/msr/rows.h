// The rows of each topic; core_msr_rows() joins them.
#pragma once
#include <span>

#include "cpu/msr/msr_table.h"

namespace softvt::msr_rows {

std::span<const MsrRow> time();      // TSC and its relatives, APIC
std::span<const MsrRow> syscall();   // EFER, STAR..., SYSENTER, segment bases
std::span<const MsrRow> memory();    // PAT, MTRRs, protection keys
std::span<const MsrRow> platform();  // Intel: identification, power, microcode
std::span<const MsrRow> machine_check();
std::span<const MsrRow> amd();

}  // namespace softvt::msr_rows
