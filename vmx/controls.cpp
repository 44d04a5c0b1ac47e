#include "vmx/controls.h"

namespace softvt::vmx {
namespace {

using enum Control;
using enum Offer;

constexpr ControlRow kRows[] = {
    {ExternalInterruptExiting, "external-interrupt exiting", Yes},
    {NmiExiting, "NMI exiting", Yes},
    {VirtualNmis, "virtual NMIs", Yes},
    {PreemptionTimer, "activate VMX-preemption timer", Yes},
    {PostedInterrupts, "process posted interrupts", No},

    {InterruptWindowExiting, "interrupt-window exiting", Yes},
    {TscOffsetting, "use TSC offsetting", Yes},
    {HltExiting, "HLT exiting", Yes},
    {InvlpgExiting, "INVLPG exiting", Yes},
    {MwaitExiting, "MWAIT exiting", Yes},
    {RdpmcExiting, "RDPMC exiting", Yes},
    {RdtscExiting, "RDTSC exiting", Yes},
    {Cr3LoadExiting, "CR3-load exiting", Yes},
    {Cr3StoreExiting, "CR3-store exiting", Yes},
    {TertiaryControls, "activate tertiary controls", No},
    {Cr8LoadExiting, "CR8-load exiting", Yes},
    {Cr8StoreExiting, "CR8-store exiting", Yes},
    {TprShadow, "use TPR shadow", No},
    {NmiWindowExiting, "NMI-window exiting", Yes},
    {MovDrExiting, "MOV-DR exiting", Yes},
    {UnconditionalIoExiting, "unconditional I/O exiting", Yes},
    {IoBitmaps, "use I/O bitmaps", Yes},
    {MonitorTrapFlag, "monitor trap flag", Yes},
    {MsrBitmaps, "use MSR bitmaps", Yes},
    {MonitorExiting, "MONITOR exiting", Yes},
    {PauseExiting, "PAUSE exiting", Yes},
    {SecondaryControls, "activate secondary controls", Yes},

    {VirtualizeApicAccesses, "virtualize APIC accesses", No},
    {EnableEpt, "enable EPT", Yes},
    {DescriptorTableExiting, "descriptor-table exiting", Yes},
    {EnableRdtscp, "enable RDTSCP", Yes, Feature::Rdtscp},
    {VirtualizeX2apicMode, "virtualize x2APIC mode", No},
    {EnableVpid, "enable VPID", Yes},
    {WbinvdExiting, "WBINVD exiting", Yes},
    {UnrestrictedGuest, "unrestricted guest", Yes},
    {ApicRegisterVirtualization, "APIC-register virtualization", No},
    {VirtualInterruptDelivery, "virtual-interrupt delivery", No},
    {PauseLoopExiting, "PAUSE-loop exiting", Yes},
    {RdrandExiting, "RDRAND exiting", Yes, Feature::Rdrand},
    {EnableInvpcid, "enable INVPCID", Yes, Feature::Invpcid},
    {VmFunctions, "enable VM functions", No},
    {VmcsShadowing, "VMCS shadowing", No},
    {EnclsExiting, "enable ENCLS exiting", No},
    {RdseedExiting, "RDSEED exiting", Yes, Feature::Rdseed},
    {Pml, "enable PML", No},
    {EptViolationVe, "EPT-violation #VE", No},
    {ConcealVmxFromPt, "conceal VMX from PT", No},
    {EnableXsaves, "enable XSAVES/XRSTORS", Yes, Feature::Xsaves},
    {PasidTranslation, "PASID translation", No},
    {ModeBasedExecute, "mode-based execute control for EPT", Yes},
    {SubPageWrite, "sub-page write permissions for EPT", No},
    {PtUsesGuestPhysical, "Intel PT uses guest physical addresses", No},
    {TscScaling, "use TSC scaling", No},
    {UserWaitPause, "enable user wait and pause", No},
    {Pconfig, "enable PCONFIG", No},
    {EnclvExiting, "enable ENCLV exiting", No},
    {BusLockDetection, "VMM bus-lock detection", No},
    {InstructionTimeout, "instruction timeout", No},

    {SaveDebugControls, "save debug controls", Yes},
    {HostAddressSpaceSize, "host address-space size", Yes, Feature::LongMode},
    {LoadHostPerfGlobalCtrl, "load IA32_PERF_GLOBAL_CTRL (exit)", No},
    {AcknowledgeInterrupt, "acknowledge interrupt on exit", Yes},
    {SaveGuestPat, "save IA32_PAT", Yes, Feature::Pat},
    {LoadHostPat, "load IA32_PAT (exit)", Yes, Feature::Pat},
    {SaveGuestEfer, "save IA32_EFER", Yes},
    {LoadHostEfer, "load IA32_EFER (exit)", Yes},
    {SavePreemptionTimer, "save VMX-preemption timer value", Yes},
    {ClearBndcfgs, "clear IA32_BNDCFGS", No},
    {ExitConcealVmxFromPt, "conceal VMX from PT (exit)", No},
    {ClearRtitCtl, "clear IA32_RTIT_CTL", No},
    {ClearLbrCtl, "clear IA32_LBR_CTL", No},
    {ExitClearUinv, "clear UINV", No},
    {LoadHostCet, "load CET state (exit)", No},
    {LoadHostPkrs, "load PKRS (exit)", Yes, Feature::Pks},
    {SavePerfGlobalCtrl, "save IA32_PERF_GLOBAL_CTRL", No},
    {ExitSecondaryControls, "activate secondary controls (exit)", No},

    {LoadDebugControls, "load debug controls", Yes},
    {Ia32eModeGuest, "IA-32e mode guest", Yes, Feature::LongMode},
    {EntryToSmm, "entry to SMM", No},
    {DeactivateDualMonitor, "deactivate dual-monitor treatment", No},
    {LoadGuestPerfGlobalCtrl, "load IA32_PERF_GLOBAL_CTRL (entry)", No},
    {LoadGuestPat, "load IA32_PAT (entry)", Yes, Feature::Pat},
    {LoadGuestEfer, "load IA32_EFER (entry)", Yes},
    {LoadGuestBndcfgs, "load IA32_BNDCFGS", No},
    {EntryConcealVmxFromPt, "conceal VMX from PT (entry)", No},
    {LoadGuestRtitCtl, "load IA32_RTIT_CTL", No},
    {LoadGuestUinv, "load UINV", No},
    {LoadGuestCet, "load CET state (entry)", No},
    {LoadGuestLbrCtl, "load guest IA32_LBR_CTL", No},
    {LoadGuestPkrs, "load PKRS (entry)", Yes, Feature::Pks},
};

}  // namespace

std::span<const ControlRow> control_rows() { return kRows; }

const ControlRow* find_control(Control c) {
  for (const ControlRow& row : kRows)
    if (row.control == c) return &row;
  return nullptr;
}

std::string_view group_name(ControlGroup group) {
  switch (group) {
    case ControlGroup::Pin:
      return "pin-based VM-execution controls";
    case ControlGroup::Primary:
      return "primary processor-based VM-execution controls";
    case ControlGroup::Secondary:
      return "secondary processor-based VM-execution controls";
    case ControlGroup::Exit:
      return "primary VM-exit controls";
    case ControlGroup::Entry:
      return "VM-entry controls";
  }
  return "";
}

}  // namespace softvt::vmx
