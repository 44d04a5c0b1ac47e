// VMX of one logical processor: the current VMCS, the instructions, VM entries and VM exits, and
// what the guest's doings are answered with. Root mode software, native or emulated, uses the
// instructions; the processor core uses the callbacks of VirtExtension.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "cpu/cpu.h"
#include "cpu/timeline.h"
#include "vmx/capabilities.h"
#include "vmx/entry_checks.h"
#include "vmx/exit_reasons.h"
#include "vmx/instruction_errors.h"
#include "vmx/vmcs.h"

namespace softvt::vmx {

constexpr u64 kNoVmcs = ~u64{0};

// What a VM exit reports beyond the guest's state. SDM 3C 25.9 "VM-Exit Information Fields".
struct ExitInfo {
  ExitReason reason{};
  u64 qualification = 0;
  u32 intr_info = 0, intr_error = 0;  // the event that exits
  const Event* during = nullptr;      // the event in delivery: IDT-vectoring information
  u32 insn_length = 0, insn_info = 0;
  u64 linear = 0, physical = 0;
};

enum class InveptType : u8 { SingleContext = 1, Global = 2 };
enum class InvvpidType : u8 { Address = 0, SingleContext = 1, All = 2, SingleKeepGlobals = 3 };
struct InvvpidDescriptor {
  u16 vpid = 0;
  u64 linear = 0;
};

class VmxExtension final : public VirtExtension {
 public:
  explicit VmxExtension(const Cpu& cpu);

  // ---- instructions; operand checks done, privilege and mode are the caller's ------------------
  VmResult vmxon(Cpu& cpu, u64 pa);
  VmResult vmxoff(Cpu& cpu);
  VmResult vmclear(Cpu& cpu, u64 pa);
  VmResult vmptrld(Cpu& cpu, u64 pa);
  VmResult vmptrst(Cpu& cpu, u64& pa) const;
  VmResult vmread(Cpu& cpu, u64 encoding, u64& value);
  VmResult vmwrite(Cpu& cpu, u64 encoding, u64 value);
  VmResult vmread(Cpu& cpu, Field f, u64& value) { return vmread(cpu, static_cast<u64>(f), value); }
  VmResult vmwrite(Cpu& cpu, Field f, u64 value) {
    return vmwrite(cpu, static_cast<u64>(f), value);
  }
  // Succeed means that the entry got past control and host checks: the guest runs, or (bad guest
  // state, exit while an event was injected) an exit has been taken already: see cpu.guest_mode.
  VmResult vmlaunch(Cpu& cpu) { return enter(cpu, true); }
  VmResult vmresume(Cpu& cpu) { return enter(cpu, false); }
  VmResult invept(Cpu& cpu, u64 type, u64 eptp, u64 reserved);
  VmResult invvpid(Cpu& cpu, u64 type, u64 vpid_word, u64 linear);
  VmResult vmcall_in_root() { return fail(InsnError::VmcallInRoot); }
  VmResult vmxon_in_root() { return fail(InsnError::VmxonInRoot); }

  // ---- callbacks -------------------------------------------------------------------------------
  bool intercept(Cpu& cpu, const Insn& in, Intercept what, u64 detail, u64 value) override;
  bool exception(Cpu& cpu, Event& event, const Event* during) override;
  bool triple_fault(Cpu& cpu) override;
  bool monitor_trap(Cpu& cpu) override;
  bool boundary(Cpu& cpu) override;
  bool external(Cpu& cpu, External what, u8 vector) override;
  bool interrupts_allowed(const Cpu& cpu) const override;
  bool wakes(const Cpu& cpu) const override;
  bool translate(Cpu& cpu, u64 gpa, const GpaAccess& access, SecondStage& out) override;
  void take_second_stage_exit(Cpu& cpu, const Event* during) override;
  bool second_stage_active(const Cpu& cpu) const override;

  // ---- looking at it ---------------------------------------------------------------------------
  const Capabilities& capabilities() const { return caps_; }
  bool active() const { return vmxon_pointer_ != kNoVmcs; }
  u64 vmxon_pointer() const { return vmxon_pointer_; }
  u64 current_pointer() const { return current_; }
  Vmcs current() const { return vmcs_; }
  u64 entries() const { return entries_; }

  // Gets the report of each VM entry that a check refuses (entry_checks.h).
  std::function<void(const std::string& report)> on_entry_failure;
  // Observers; may be empty. An entry is told before an event is injected, an exit when the VMCS is
  // complete and the host's state is loaded.
  std::function<void(Cpu&, bool launch)> on_entry;
  std::function<void(Cpu&)> on_exit;

 private:
  friend class ExitTaker;

  // instructions.cpp
  VmResult fail(InsnError error);
  bool good_pointer(const Cpu& cpu, u64 pa) const;

  // entry.cpp
  VmResult enter(Cpu& cpu, bool launch);
  CheckContext context(const Cpu& cpu) const;
  void report(const Cpu& cpu, bool launch, CheckClass cls) const;
  const CheckRow* failing_guest_check(Cpu& cpu, bool launch);
  void load_guest(Cpu& cpu);
  void load_guest_efer(Cpu& cpu);
  void load_guest_non_register(Cpu& cpu);
  bool load_guest_pdptes(Cpu& cpu);
  void read_controls(Cpu& cpu);
  void enter_world(Cpu& cpu);
  void start_timer(Cpu& cpu);
  void inject(Cpu& cpu);
  void fail_entry(Cpu& cpu, ExitReason reason, u64 qualification);

  // exit.cpp
  void exit(Cpu& cpu, const ExitInfo& info);
  void record(const ExitInfo& info, u32 reason_flags);
  void save_guest(Cpu& cpu);
  void save_guest_non_register(Cpu& cpu);
  void leave_guest(Cpu& cpu, bool by_nmi);
  void load_host(Cpu& cpu);
  void abort(Cpu& cpu, u32 reason);

  // msr_area.cpp. Number of the entry that failed, from 1; 0 if none did.
  u32 load_msrs(Cpu& cpu, u64 area, u32 count, bool entry);
  u32 store_msrs(Cpu& cpu, u64 area, u32 count);
  u32 store_each_msr(Cpu& cpu, u64 area, u32 count);

  // intercepts.cpp
  void exit_insn(Cpu& cpu, const Insn& in, ExitReason reason, u64 qualification = 0,
                 u32 insn_info = 0, u64 linear = 0);
  bool intercept_cr(Cpu& cpu, const Insn& in, Intercept what, u64 detail, u64 value);
  bool intercept_io(Cpu& cpu, const Insn& in, Intercept what, u64 detail, u64 linear);
  bool intercept_msr(Cpu& cpu, const Insn& in, Intercept what, u32 index);
  bool intercept_pause(Cpu& cpu, const Insn& in);
  bool needs_enable(Cpu& cpu, Control enable);

  // extension.cpp
  bool on(Control c) const {
    return (controls_[static_cast<unsigned>(group_of(c))] & bit_of(c)) != 0;
  }
  u64 host_tsc(const Cpu& cpu) const;
  u32 timer_left(const Cpu& cpu) const;
  bool interrupt_window_open(const Cpu& cpu) const;
  bool nmi_window_open(const Cpu& cpu) const;

  const Capabilities caps_;
  u64 vmxon_pointer_ = kNoVmcs;
  u64 current_ = kNoVmcs;
  Vmcs vmcs_;               // host view of the current VMCS
  u8 dirty_ = dirty::kAll;  // groups of fields written since the last successful checks
  bool checked_ia32e_ = false;
  u64 entries_ = 0;

  // In guest mode: the controls in force.
  u32 controls_[kControlGroups] = {};
  u64 eptp_ = 0;
  u64 io_bitmap_[2] = {};
  u64 msr_bitmap_ = 0;

  u64 timer_deadline_ = 0;  // host TSC
  std::optional<Timeline::Timer> timer_;
  u64 mtf_from_ = 0;  // instructions() when the guest was entered
  u64 mtf_rip_ = 0;
  bool mtf_pending_ = false;
  bool mtf_unset_ = false;  // mtf_from_ is taken at the first boundary in the guest
  u64 first_pause_ = 0, last_pause_ = 0;

  ExitInfo second_stage_exit_;  // what translate() remembered
};

// VM-exit and IDT-vectoring information of an event. SDM 3C 25.9.2, table 25-20.
u32 interruption_info(const Event& event);

}  // namespace softvt::vmx
