// The VMX controls: every bit of the VM-execution, VM-exit and VM-entry control fields by name, and
// whether this processor offers it. The capability MSRs, the checks and the texts come from these
// rows. SDM 3C 25.6, 25.7, 25.8; SDM 3D A.3 to A.5.
#pragma once
#include <span>
#include <string_view>

#include "cpu/features.h"
#include "cpu/types.h"

namespace softvt::vmx {

enum class ControlGroup : u8 { Pin, Primary, Secondary, Exit, Entry };
constexpr unsigned kControlGroups = 5;

// The value is group * 32 + bit.
enum class Control : u8 {
  // SDM 3C 25.6.1, table 25-5 "Definitions of Pin-Based VM-Execution Controls"
  ExternalInterruptExiting = 0,
  NmiExiting = 3,
  VirtualNmis = 5,
  PreemptionTimer = 6,
  PostedInterrupts = 7,
  // 25.6.2, table 25-6 "Definitions of Primary Processor-Based VM-Execution Controls"
  InterruptWindowExiting = 32 + 2,
  TscOffsetting = 32 + 3,
  HltExiting = 32 + 7,
  InvlpgExiting = 32 + 9,
  MwaitExiting = 32 + 10,
  RdpmcExiting = 32 + 11,
  RdtscExiting = 32 + 12,
  Cr3LoadExiting = 32 + 15,
  Cr3StoreExiting = 32 + 16,
  TertiaryControls = 32 + 17,
  Cr8LoadExiting = 32 + 19,
  Cr8StoreExiting = 32 + 20,
  TprShadow = 32 + 21,
  NmiWindowExiting = 32 + 22,
  MovDrExiting = 32 + 23,
  UnconditionalIoExiting = 32 + 24,
  IoBitmaps = 32 + 25,
  MonitorTrapFlag = 32 + 27,
  MsrBitmaps = 32 + 28,
  MonitorExiting = 32 + 29,
  PauseExiting = 32 + 30,
  SecondaryControls = 32 + 31,
  // 25.6.2, table 25-7 "Definitions of Secondary Processor-Based VM-Execution Controls"
  VirtualizeApicAccesses = 64 + 0,
  EnableEpt = 64 + 1,
  DescriptorTableExiting = 64 + 2,
  EnableRdtscp = 64 + 3,
  VirtualizeX2apicMode = 64 + 4,
  EnableVpid = 64 + 5,
  WbinvdExiting = 64 + 6,
  UnrestrictedGuest = 64 + 7,
  ApicRegisterVirtualization = 64 + 8,
  VirtualInterruptDelivery = 64 + 9,
  PauseLoopExiting = 64 + 10,
  RdrandExiting = 64 + 11,
  EnableInvpcid = 64 + 12,
  VmFunctions = 64 + 13,
  VmcsShadowing = 64 + 14,
  EnclsExiting = 64 + 15,
  RdseedExiting = 64 + 16,
  Pml = 64 + 17,
  EptViolationVe = 64 + 18,
  ConcealVmxFromPt = 64 + 19,
  EnableXsaves = 64 + 20,
  PasidTranslation = 64 + 21,
  ModeBasedExecute = 64 + 22,
  SubPageWrite = 64 + 23,
  PtUsesGuestPhysical = 64 + 24,
  TscScaling = 64 + 25,
  UserWaitPause = 64 + 26,
  Pconfig = 64 + 27,
  EnclvExiting = 64 + 28,
  BusLockDetection = 64 + 30,
  InstructionTimeout = 64 + 31,
  // 25.7.1, table 25-13 "Definitions of Primary VM-Exit Controls"
  SaveDebugControls = 96 + 2,
  HostAddressSpaceSize = 96 + 9,
  LoadHostPerfGlobalCtrl = 96 + 12,
  AcknowledgeInterrupt = 96 + 15,
  SaveGuestPat = 96 + 18,
  LoadHostPat = 96 + 19,
  SaveGuestEfer = 96 + 20,
  LoadHostEfer = 96 + 21,
  SavePreemptionTimer = 96 + 22,
  ClearBndcfgs = 96 + 23,
  ExitConcealVmxFromPt = 96 + 24,
  ClearRtitCtl = 96 + 25,
  ClearLbrCtl = 96 + 26,
  ExitClearUinv = 96 + 27,
  LoadHostCet = 96 + 28,
  LoadHostPkrs = 96 + 29,
  SavePerfGlobalCtrl = 96 + 30,
  ExitSecondaryControls = 96 + 31,
  // 25.8.1, table 25-15 "Definitions of VM-Entry Controls"
  LoadDebugControls = 128 + 2,
  Ia32eModeGuest = 128 + 9,
  EntryToSmm = 128 + 10,
  DeactivateDualMonitor = 128 + 11,
  LoadGuestPerfGlobalCtrl = 128 + 13,
  LoadGuestPat = 128 + 14,
  LoadGuestEfer = 128 + 15,
  LoadGuestBndcfgs = 128 + 16,
  EntryConcealVmxFromPt = 128 + 17,
  LoadGuestRtitCtl = 128 + 18,
  LoadGuestUinv = 128 + 19,
  LoadGuestCet = 128 + 20,
  LoadGuestLbrCtl = 128 + 21,
  LoadGuestPkrs = 128 + 22,

  Always = 255,  // in the field table: the field exists without any control
};

constexpr ControlGroup group_of(Control c) {
  return static_cast<ControlGroup>(static_cast<u8>(c) / 32);
}
constexpr u32 bit_of(Control c) { return u32{1} << (static_cast<u8>(c) % 32); }

enum class Offer : u8 {
  No,   // the processor does not have it: reserved, must be 0
  Yes,  // has it, if the model has the feature
};

struct ControlRow {
  Control control;
  std::string_view name;  // as the manual writes it
  Offer offer;
  Feature feature = Feature::None;
};

std::span<const ControlRow> control_rows();
const ControlRow* find_control(Control c);
std::string_view group_name(ControlGroup group);

// Bits that are reserved and 1 by default, or were so in the first processors ("default1 class").
// SDM 3D A.2 "Reserved Controls and Default Settings".
constexpr u32 kDefault1[kControlGroups] = {0x16, 0x0401e172, 0, 0x00036dff, 0x000011ff};

}  // namespace softvt::vmx
