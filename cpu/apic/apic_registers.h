// The registers of the local APIC, one row each: SDM 3A 11.4.1 "The Local APIC Block Diagram"
// (table of the MMIO addresses) and 11.12.1.2 "x2APIC Register Address Space".
#pragma once
#include <array>
#include <string_view>

#include "cpu/types.h"

namespace softvt {

// The offset in the MMIO page. The x2APIC MSR is 0x800 + offset / 16.
enum class ApicRegister : u16 {
  kId = 0x020,
  kVersion = 0x030,
  kTaskPriority = 0x080,
  kArbitrationPriority = 0x090,
  kProcessorPriority = 0x0a0,
  kEoi = 0x0b0,
  kRemoteRead = 0x0c0,
  kLogicalDestination = 0x0d0,
  kDestinationFormat = 0x0e0,
  kSpuriousVector = 0x0f0,
  kInService = 0x100,
  kTriggerMode = 0x180,
  kInterruptRequest = 0x200,
  kErrorStatus = 0x280,
  kIcrLow = 0x300,
  kIcrHigh = 0x310,
  kLvtTimer = 0x320,
  kLvtThermal = 0x330,
  kLvtPerformance = 0x340,
  kLvtLint0 = 0x350,
  kLvtLint1 = 0x360,
  kLvtError = 0x370,
  kInitialCount = 0x380,
  kCurrentCount = 0x390,
  kDivide = 0x3e0,
  kSelfIpi = 0x3f0,
};

enum class ApicAccess : u8 { kNone, kRead, kWrite, kReadWrite };

struct ApicRegisterRow {
  ApicRegister id;
  std::string_view name;
  ApicAccess xapic;
  ApicAccess x2apic;
  u32 writable;       // bits that a write reaches
  u32 read_only = 0;  // bits that a write may carry without effect; all others are reserved
  u32 reset = 0;
  unsigned count = 1;  // consecutive registers of 16 bytes
};

constexpr bool readable(ApicAccess access) {
  return access == ApicAccess::kRead || access == ApicAccess::kReadWrite;
}
constexpr bool writable(ApicAccess access) {
  return access == ApicAccess::kWrite || access == ApicAccess::kReadWrite;
}

constexpr u32 kLvtVector = 0x000000ff;
constexpr u32 kLvtMode = 0x00000700;
constexpr u32 kLvtStatus = 0x00001000;
constexpr u32 kLvtPolarity = 0x00002000;
constexpr u32 kLvtRemoteIrr = 0x00004000;
constexpr u32 kLvtLevel = 0x00008000;
constexpr u32 kLvtMasked = 0x00010000;
constexpr u32 kLvtTimerMode = 0x00060000;

namespace apic_table {

constexpr ApicAccess kNo = ApicAccess::kNone;
constexpr ApicAccess kR = ApicAccess::kRead;
constexpr ApicAccess kW = ApicAccess::kWrite;
constexpr ApicAccess kRW = ApicAccess::kReadWrite;
constexpr u32 kLvtLint = kLvtVector | kLvtMode | kLvtPolarity | kLvtLevel | kLvtMasked;
constexpr u32 kLintReadOnly = kLvtStatus | kLvtRemoteIrr;
using R = ApicRegister;

}  // namespace apic_table

// clang-format off
constexpr std::array<ApicRegisterRow, 26> kApicRegisters = {{
    // id                                  name             xAPIC              x2APIC            writable    read-only   reset       count
    {apic_table::R::kId,                   "ID",            apic_table::kR,    apic_table::kR,   0},
    {apic_table::R::kVersion,              "VERSION",       apic_table::kR,    apic_table::kR,   0},
    {apic_table::R::kTaskPriority,         "TPR",           apic_table::kRW,   apic_table::kRW,  0x000000ff},
    {apic_table::R::kArbitrationPriority,  "APR",           apic_table::kR,    apic_table::kNo,  0},
    {apic_table::R::kProcessorPriority,    "PPR",           apic_table::kR,    apic_table::kR,   0},
    {apic_table::R::kEoi,                  "EOI",           apic_table::kW,    apic_table::kW,   0},
    {apic_table::R::kRemoteRead,           "RRD",           apic_table::kR,    apic_table::kNo,  0},
    {apic_table::R::kLogicalDestination,   "LDR",           apic_table::kRW,   apic_table::kR,   0xff000000},
    {apic_table::R::kDestinationFormat,    "DFR",           apic_table::kRW,   apic_table::kNo,  0xf0000000, 0x0fffffff, 0xffffffff},
    {apic_table::R::kSpuriousVector,       "SVR",           apic_table::kRW,   apic_table::kRW,  0x000013ff, 0,          0x000000ff},
    {apic_table::R::kInService,            "ISR",           apic_table::kR,    apic_table::kR,   0,          0,          0,          8},
    {apic_table::R::kTriggerMode,          "TMR",           apic_table::kR,    apic_table::kR,   0,          0,          0,          8},
    {apic_table::R::kInterruptRequest,     "IRR",           apic_table::kR,    apic_table::kR,   0,          0,          0,          8},
    {apic_table::R::kErrorStatus,          "ESR",           apic_table::kRW,   apic_table::kRW,  0},
    {apic_table::R::kIcrLow,               "ICR_LOW",       apic_table::kRW,   apic_table::kRW,  0x000ccfff, 0x00001000},
    {apic_table::R::kIcrHigh,              "ICR_HIGH",      apic_table::kRW,   apic_table::kNo,  0xff000000},
    {apic_table::R::kLvtTimer,             "LVT_TIMER",     apic_table::kRW,   apic_table::kRW,  kLvtVector | kLvtMasked | kLvtTimerMode, kLvtStatus, kLvtMasked},
    {apic_table::R::kLvtThermal,           "LVT_THERMAL",   apic_table::kRW,   apic_table::kRW,  kLvtVector | kLvtMode | kLvtMasked, kLvtStatus, kLvtMasked},
    {apic_table::R::kLvtPerformance,       "LVT_PMC",       apic_table::kRW,   apic_table::kRW,  kLvtVector | kLvtMode | kLvtMasked, kLvtStatus, kLvtMasked},
    {apic_table::R::kLvtLint0,             "LVT_LINT0",     apic_table::kRW,   apic_table::kRW,  apic_table::kLvtLint, apic_table::kLintReadOnly, kLvtMasked},
    {apic_table::R::kLvtLint1,             "LVT_LINT1",     apic_table::kRW,   apic_table::kRW,  apic_table::kLvtLint, apic_table::kLintReadOnly, kLvtMasked},
    {apic_table::R::kLvtError,             "LVT_ERROR",     apic_table::kRW,   apic_table::kRW,  kLvtVector | kLvtMasked, kLvtStatus, kLvtMasked},
    {apic_table::R::kInitialCount,         "TMICT",         apic_table::kRW,   apic_table::kRW,  0xffffffff},
    {apic_table::R::kCurrentCount,         "TMCCT",         apic_table::kR,    apic_table::kR,   0},
    {apic_table::R::kDivide,               "TDCR",          apic_table::kRW,   apic_table::kRW,  0x0000000b},
    {apic_table::R::kSelfIpi,              "SELF_IPI",      apic_table::kNo,   apic_table::kW,   0x000000ff},
}};
// clang-format on

constexpr u32 kX2ApicMsrBase = 0x800;
constexpr u32 kX2ApicMsrCount = 0x100;

// The row that an MMIO offset (its low four bits aside) belongs to, null for a reserved address.
constexpr const ApicRegisterRow* find_apic_register(u32 offset) {
  for (const ApicRegisterRow& row : kApicRegisters) {
    const u32 first = static_cast<u32>(row.id);
    if (offset >= first && offset < first + 16 * row.count) return &row;
  }
  return nullptr;
}

}  // namespace softvt
