#include "vmx/exit_reasons.h"

namespace softvt::vmx {
namespace {

using enum ExitReason;

// Layouts that several rows share. SDM 3C 28.2.1, tables 28-1 to 28-7.
constexpr std::string_view kDisplacement = "displacement of the memory operand";
constexpr std::string_view kDebug =
    "#DB: 3:0 B3-B0, 11 BLD, 13 BD, 14 BS, 16 RTM; #PF: linear address; else 0";
constexpr std::string_view kTaskSwitch =
    "15:0 TSS selector, 31:30 source (0 CALL, 1 IRET, 2 JMP, 3 task gate)";
constexpr std::string_view kCr =
    "3:0 register, 5:4 type (0 MOV to, 1 MOV from, 2 CLTS, 3 LMSW), 6 LMSW operand in memory, "
    "11:8 general register, 31:16 LMSW source";
constexpr std::string_view kDr = "2:0 register, 4 direction (1 from DR), 11:8 general register";
constexpr std::string_view kIo =
    "2:0 size - 1, 3 IN, 4 string, 5 REP, 6 immediate port, 31:16 port";
constexpr std::string_view kApicAccess = "11:0 offset in the page, 15:12 access type";
constexpr std::string_view kEpt =
    "0 read, 1 write, 2 fetch; 3 readable, 4 writable, 5 executable, 6 executable in user mode; 7 "
    "linear address valid, 8 final translation; 12 NMI unblocked by IRET";
constexpr std::string_view kInvalidState =
    "0 none, 2 PDPTE, 3 NMI injection under blocking, 4 VMCS link pointer";

constexpr ExitReasonRow kRows[] = {
    {ExceptionOrNmi, "Exception or non-maskable interrupt (NMI)", "EXCEPTION_NMI", kDebug},
    {ExternalInterrupt, "External interrupt", "EXTERNAL_INTERRUPT", ""},
    {TripleFault, "Triple fault", "TRIPLE_FAULT", ""},
    {InitSignal, "INIT signal", "INIT_SIGNAL", ""},
    {Sipi, "Start-up IPI (SIPI)", "SIPI_SIGNAL", "7:0 SIPI vector"},
    {IoSmi, "I/O system-management interrupt (SMI)", "", ""},
    {OtherSmi, "Other SMI", "", ""},
    {InterruptWindow, "Interrupt window", "INTERRUPT_WINDOW", ""},
    {NmiWindow, "NMI window", "NMI_WINDOW", ""},
    {TaskSwitch, "Task switch", "TASK_SWITCH", kTaskSwitch},
    {Cpuid, "CPUID", "CPUID", ""},
    {Getsec, "GETSEC", "", ""},
    {Hlt, "HLT", "HLT", ""},
    {Invd, "INVD", "INVD", ""},
    {Invlpg, "INVLPG", "INVLPG", "linear address of the operand"},
    {Rdpmc, "RDPMC", "RDPMC", ""},
    {Rdtsc, "RDTSC", "RDTSC", ""},
    {Rsm, "RSM", "", ""},
    {Vmcall, "VMCALL", "VMCALL", ""},
    {Vmclear, "VMCLEAR", "VMCLEAR", kDisplacement},
    {Vmlaunch, "VMLAUNCH", "VMLAUNCH", ""},
    {Vmptrld, "VMPTRLD", "VMPTRLD", kDisplacement},
    {Vmptrst, "VMPTRST", "VMPTRST", kDisplacement},
    {Vmread, "VMREAD", "VMREAD", kDisplacement},
    {Vmresume, "VMRESUME", "VMRESUME", ""},
    {Vmwrite, "VMWRITE", "VMWRITE", kDisplacement},
    {Vmxoff, "VMXOFF", "VMOFF", ""},
    {Vmxon, "VMXON", "VMON", kDisplacement},
    {ControlRegisterAccess, "Control-register accesses", "CR_ACCESS", kCr},
    {MovDr, "MOV DR", "DR_ACCESS", kDr},
    {IoInstruction, "I/O instruction", "IO_INSTRUCTION", kIo},
    {Rdmsr, "RDMSR", "MSR_READ", ""},
    {Wrmsr, "WRMSR", "MSR_WRITE", ""},
    {EntryInvalidGuestState, "VM-entry failure due to invalid guest state", "INVALID_STATE",
     kInvalidState},
    {EntryMsrLoading, "VM-entry failure due to MSR loading", "MSR_LOAD_FAIL",
     "number of the entry in the VM-entry MSR-load area, from 1"},
    {Mwait, "MWAIT", "MWAIT_INSTRUCTION", "0 monitoring hardware armed"},
    {MonitorTrapFlag, "Monitor trap flag", "MONITOR_TRAP_FLAG", ""},
    {Monitor, "MONITOR", "MONITOR_INSTRUCTION", ""},
    {Pause, "PAUSE", "PAUSE_INSTRUCTION", ""},
    {EntryMachineCheck, "VM-entry failure due to machine-check event", "MCE_DURING_VMENTRY", ""},
    {TprBelowThreshold, "TPR below threshold", "TPR_BELOW_THRESHOLD", ""},
    {ApicAccess, "APIC access", "APIC_ACCESS", kApicAccess},
    {VirtualizedEoi, "Virtualized EOI", "EOI_INDUCED", "7:0 vector"},
    {GdtrIdtrAccess, "Access to GDTR or IDTR", "GDTR_IDTR", kDisplacement},
    {LdtrTrAccess, "Access to LDTR or TR", "LDTR_TR", kDisplacement},
    {EptViolation, "EPT violation", "EPT_VIOLATION", kEpt},
    {EptMisconfiguration, "EPT misconfiguration", "EPT_MISCONFIG", ""},
    {Invept, "INVEPT", "INVEPT", kDisplacement},
    {Rdtscp, "RDTSCP", "RDTSCP", ""},
    {PreemptionTimer, "VMX-preemption timer expired", "PREEMPTION_TIMER", ""},
    {Invvpid, "INVVPID", "INVVPID", kDisplacement},
    {Wbinvd, "WBINVD or WBNOINVD", "WBINVD", ""},
    {Xsetbv, "XSETBV", "XSETBV", ""},
    {ApicWrite, "APIC write", "APIC_WRITE", "11:0 offset in the virtual-APIC page"},
    {Rdrand, "RDRAND", "RDRAND", ""},
    {Invpcid, "INVPCID", "INVPCID", kDisplacement},
    {Vmfunc, "VMFUNC", "VMFUNC", ""},
    {Encls, "ENCLS", "ENCLS", ""},
    {Rdseed, "RDSEED", "RDSEED", ""},
    {PmlFull, "Page-modification log full", "PML_FULL", "12 NMI unblocked by IRET"},
    {Xsaves, "XSAVES", "XSAVES", kDisplacement},
    {Xrstors, "XRSTORS", "XRSTORS", kDisplacement},
    {Pconfig, "PCONFIG", "", ""},
    {SppEvent, "SPP-related event", "", "11 misconfiguration (0) or miss (1), 12 NMI unblocked"},
    {Umwait, "UMWAIT", "UMWAIT", ""},
    {Tpause, "TPAUSE", "TPAUSE", ""},
    {Loadiwkey, "LOADIWKEY", "", ""},
    {Enclv, "ENCLV", "", ""},
    {EnqcmdPasid, "ENQCMD PASID translation failure", "", ""},
    {EnqcmdsPasid, "ENQCMDS PASID translation failure", "", ""},
    {BusLock, "Bus lock", "BUS_LOCK", ""},
    {InstructionTimeout, "Instruction timeout", "NOTIFY", "0 context invalid"},
    {Seamcall, "SEAMCALL", "", ""},
    {Tdcall, "TDCALL", "", ""},
    {Rdmsrlist, "RDMSRLIST", "", ""},
    {Wrmsrlist, "WRMSRLIST", "", ""},
};

}  // namespace

std::span<const ExitReasonRow> exit_reason_rows() { return kRows; }

const ExitReasonRow* find_exit_reason(u32 reason) {
  for (const ExitReasonRow& row : kRows)
    if (static_cast<u32>(row.reason) == (reason & 0xffff)) return &row;
  return nullptr;
}

std::string_view exit_reason_name(u32 reason) {
  const ExitReasonRow* row = find_exit_reason(reason);
  if (row == nullptr) return "UNKNOWN";
  return row->kvm_name.empty() ? row->name : row->kvm_name;
}

}  // namespace softvt::vmx
