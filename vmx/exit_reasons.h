// Basic exit reasons. SDM 3D appendix C "VMX Basic Exit Reasons", SDM 3C 28.2.1.
#pragma once
#include <span>
#include <string_view>

#include "cpu/types.h"

namespace softvt::vmx {

enum class ExitReason : u16 {
  ExceptionOrNmi = 0,
  ExternalInterrupt = 1,
  TripleFault = 2,
  InitSignal = 3,
  Sipi = 4,
  IoSmi = 5,
  OtherSmi = 6,
  InterruptWindow = 7,
  NmiWindow = 8,
  TaskSwitch = 9,
  Cpuid = 10,
  Getsec = 11,
  Hlt = 12,
  Invd = 13,
  Invlpg = 14,
  Rdpmc = 15,
  Rdtsc = 16,
  Rsm = 17,
  Vmcall = 18,
  Vmclear = 19,
  Vmlaunch = 20,
  Vmptrld = 21,
  Vmptrst = 22,
  Vmread = 23,
  Vmresume = 24,
  Vmwrite = 25,
  Vmxoff = 26,
  Vmxon = 27,
  ControlRegisterAccess = 28,
  MovDr = 29,
  IoInstruction = 30,
  Rdmsr = 31,
  Wrmsr = 32,
  EntryInvalidGuestState = 33,
  EntryMsrLoading = 34,
  Mwait = 36,
  MonitorTrapFlag = 37,
  Monitor = 39,
  Pause = 40,
  EntryMachineCheck = 41,
  TprBelowThreshold = 43,
  ApicAccess = 44,
  VirtualizedEoi = 45,
  GdtrIdtrAccess = 46,
  LdtrTrAccess = 47,
  EptViolation = 48,
  EptMisconfiguration = 49,
  Invept = 50,
  Rdtscp = 51,
  PreemptionTimer = 52,
  Invvpid = 53,
  Wbinvd = 54,
  Xsetbv = 55,
  ApicWrite = 56,
  Rdrand = 57,
  Invpcid = 58,
  Vmfunc = 59,
  Encls = 60,
  Rdseed = 61,
  PmlFull = 62,
  Xsaves = 63,
  Xrstors = 64,
  Pconfig = 65,
  SppEvent = 66,
  Umwait = 67,
  Tpause = 68,
  Loadiwkey = 69,
  Enclv = 70,
  EnqcmdPasid = 72,
  EnqcmdsPasid = 73,
  BusLock = 74,
  InstructionTimeout = 75,
  Seamcall = 76,
  Tdcall = 77,
  Rdmsrlist = 78,
  Wrmsrlist = 79,
};

// Bit 31 of the exit-reason field: the VM entry failed. SDM 3C 25.9.1, table 25-19.
constexpr u32 kEntryFailure = u32{1} << 31;

struct ExitReasonRow {
  ExitReason reason;
  std::string_view name;           // as the manual calls it
  std::string_view kvm_name;       // as the tracepoints of Linux's KVM call it, if they do
  std::string_view qualification;  // layout of the exit qualification; empty: it is cleared
};

std::span<const ExitReasonRow> exit_reason_rows();
const ExitReasonRow* find_exit_reason(u32 reason);  // bits above 15 are ignored; null if unknown
// KVM's name, or the manual's where KVM has none; "UNKNOWN" for unknown numbers.
std::string_view exit_reason_name(u32 reason);

}  // namespace softvt::vmx
