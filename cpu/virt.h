// What the processor core asks of VMX or SVM while a guest runs. Implemented by vmx/ and svm/.
#pragma once
#include "cpu/fault.h"
#include "cpu/insn.h"
#include "cpu/types.h"

namespace softvt {

class Cpu;

// Instructions and actions that VMX or SVM can intercept. `detail` of intercept():
enum class Intercept : u8 {
  None,
  Cpuid,
  Hlt,
  Invlpg,  // Invlpg: linear address
  Invpcid,
  Invd,
  Wbinvd,
  Rdtsc,
  Rdtscp,
  Rdpid,
  Rdpmc,
  Monitor,
  Mwait,
  Pause,
  Rdmsr,
  Wrmsr,  // MSR: index
  Rdrand,
  Rdseed,
  Xsetbv,
  Xsaves,
  Xrstors,
  Rsm,
  Getsec,
  CrRead,   // cr | gpr << 8
  CrWrite,  // cr | gpr << 8; value in Intercepted::value
  Clts,
  Lmsw,  // Lmsw: source word; bit 16 set if from memory, linear address in value
  DrRead,
  DrWrite,  // dr | gpr << 8
  IoIn,
  IoOut,
  Ins,
  Outs,  // port | size << 16; Ins/Outs: linear address in value
  SgdtSidt,
  LgdtLidt,
  SldtStr,
  LldtLtr,     // subtype 0 GDT 1 IDT / 0 LDT 1 TR, bit 1 set for loads
  TaskSwitch,  // selector | source << 16 (0 CALL 1 IRET 2 JMP 3 gate); has error code in value
  Pushf,
  Popf,
  Iret,
  SoftwareInt,
  Icebp,  // SVM only; SoftwareInt: vector
  Vmcall,
  Vmmcall,
  Clgi,
  Stgi,
  Skinit,
  Invlpga,
  Vmrun,
  Vmload,
  Vmsave,
  Vmxon,
  Vmxoff,
  Vmclear,
  Vmptrld,
  Vmptrst,
  Vmread,
  Vmwrite,
  Vmlaunch,
  Vmresume,
  Invept,
  Invvpid,
  Vmfunc,
};

// Result of a second-stage translation (EPT, nested paging).
struct SecondStage {
  u64 host_pa = 0;        // translation of the page that holds the guest-physical address
  u64 page_mask = 0xfff;  // size of the mapping - 1
  bool readable = false, writable = false, user_exec = false, super_exec = false;
};

struct GpaAccess {
  bool read, write, fetch;
  bool user;          // access of a user-mode page (for mode-based execute control)
  bool table_walk;    // access to a paging-structure entry of the guest
  bool linear_valid;  // false: PDPTE loads and the like
  u64 linear;         // guest linear address that led here
};

class VirtExtension {
 public:
  virtual ~VirtExtension() = default;

  // Called by an instruction in guest mode, behind the faults that have priority over the exit
  // (SDM 3C 26.1.1, APM 2 15.7). True: the exit was taken, return Step::VmExit at once.
  virtual bool intercept(Cpu& cpu, const Insn& in, Intercept what, u64 detail, u64 value) = 0;

  // An exception or software interrupt that is about to be delivered in guest mode.
  // True: a VM exit was taken instead. `during` is the event whose delivery raised it, or null.
  virtual bool exception(Cpu& cpu, Event& event, const Event* during) = 0;

  // A triple fault in guest mode. True: exit taken.
  virtual bool triple_fault(Cpu& cpu) = 0;

  // At an instruction boundary in guest mode, before the debug traps of the last instruction: the
  // monitor trap flag. True: exit taken.
  virtual bool monitor_trap(Cpu&) { return false; }

  // At an instruction boundary in guest mode, behind those traps and before external events are
  // looked at: windows, preemption timer, virtual interrupts. True: exit taken or event injected
  // (look the block up).
  virtual bool boundary(Cpu& cpu) = 0;

  // An external interrupt (pending vector not yet acknowledged), NMI or INIT arrives in guest mode.
  // True: exit taken. False: deliver it to the guest as without virtualisation.
  enum class External : u8 { Interrupt, Nmi, Init, Sipi, Smi };
  virtual bool external(Cpu& cpu, External what, u8 vector) = 0;

  // Whether a physical interrupt that external() did not turn into an exit may be delivered through
  // the guest's IDT now: RFLAGS.IF, or the host's IF under SVM's V_INTR_MASKING.
  virtual bool interrupts_allowed(const Cpu& cpu) const = 0;

  // Whether something of the extension's own ends HLT in the guest (a virtual interrupt, the
  // preemption timer, a window).
  virtual bool wakes(const Cpu& cpu) const = 0;

  // Guest-physical to host-physical. False: the extension remembers the exit that is due (EPT
  // violation, #NPF) and the caller unwinds as for a fault, after cpu.raise_second_stage().
  virtual bool translate(Cpu& cpu, u64 gpa, const GpaAccess& access, SecondStage& out) = 0;

  // Takes the exit that translate() remembered. `during`: the event in delivery, or null.
  virtual void take_second_stage_exit(Cpu& cpu, const Event* during) = 0;

  // True if guest-physical addresses are translated now.
  virtual bool second_stage_active(const Cpu& cpu) const = 0;
};

}  // namespace softvt
