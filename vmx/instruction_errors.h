// VM-instruction error numbers. SDM 3C 31.4, table 31-1 "VM-Instruction Error Numbers".
#pragma once
#include <span>
#include <string_view>

#include "cpu/types.h"

namespace softvt::vmx {

enum class InsnError : u8 {
  VmcallInRoot = 1,
  VmclearInvalidAddress = 2,
  VmclearVmxonPointer = 3,
  VmlaunchNotClear = 4,
  VmresumeNotLaunched = 5,
  VmresumeAfterVmxoff = 6,
  EntryInvalidControls = 7,
  EntryInvalidHostState = 8,
  VmptrldInvalidAddress = 9,
  VmptrldVmxonPointer = 10,
  VmptrldWrongRevision = 11,
  UnsupportedField = 12,
  ReadOnlyField = 13,
  VmxonInRoot = 15,
  EntryInvalidExecutivePointer = 16,
  EntryExecutiveNotLaunched = 17,
  EntryExecutiveNotVmxon = 18,
  VmcallNotClear = 19,
  VmcallInvalidExitControls = 20,
  VmcallWrongMsegRevision = 22,
  VmxoffDualMonitor = 23,
  VmcallInvalidSmmFeatures = 24,
  EntryExecutiveInvalidControls = 25,
  EntryBlockedByMovSs = 26,
  InvalidInvalidationOperand = 28,
};

struct InsnErrorRow {
  InsnError number;
  std::string_view text;
};

std::span<const InsnErrorRow> insn_error_rows();
std::string_view insn_error_text(u32 number);  // "unknown error" for unknown numbers

// How a VMX instruction ended. SDM 3C 31.2 "Conventions".
struct VmResult {
  enum class Kind : u8 { Succeed, FailInvalid, FailValid } kind = Kind::Succeed;
  InsnError error{};  // for FailValid
  bool ok() const { return kind == Kind::Succeed; }
  bool operator==(const VmResult&) const = default;
};
constexpr VmResult kVmSucceed{};
constexpr VmResult kVmFailInvalid{VmResult::Kind::FailInvalid, {}};

}  // namespace softvt::vmx
