// Software SVM of one processor: VMRUN, #VMEXIT, and the intercepts while a guest runs.
// APM 2 chapter 15 "Secure Virtual Machine".
#pragma once
#include <array>
#include <functional>

#include "cpu/cpu.h"
#include "cpu/virt.h"
#include "cpu/virt/check_report.h"
#include "svm/entry_checks.h"
#include "svm/exit_codes.h"
#include "svm/npt.h"
#include "svm/vmcb_fields.h"

namespace softvt::svm {

// A page of physical memory that the processor uses as a VMCB or host save area. Where there is no
// RAM reads give all ones and writes vanish, as on a bus that nobody answers.
class MappedPage {
 public:
  void map(Cpu& cpu, u64 pa);
  Vmcb vmcb() const { return Vmcb(bytes_); }
  u64 pa() const { return pa_; }
  // To be called after writes: decoded code in the page becomes stale.
  void written(Cpu& cpu) const;

 private:
  u8* bytes_ = nullptr;
  const u8* flags_ = nullptr;
  u64 pa_ = 0;
  std::array<u8, kPageSize> nowhere_;
};

// What a #VMEXIT reports.
struct ExitReport {
  ExitCode code = ExitCode::Invalid;
  u64 info1 = 0;
  u64 info2 = 0;
  u64 next_rip = 0;                // nRIP; 0 where the manual has none
  const Event* during = nullptr;   // the event whose delivery was interrupted: EXITINTINFO
  bool instruction_bytes = false;  // decode assist: store the bytes at CS:RIP
};

enum class EntryResult : u8 {
  Entered,  // the guest's state is loaded; an injected event is delivered
  Exited,   // the delivery of the injected event left the guest again, or shut it down
  Invalid,  // a check failed: #VMEXIT(VMEXIT_INVALID)
};

class SvmExtension final : public VirtExtension {
 public:
  // ---- entry and exit, by physical address; permission checks are the caller's -----------------
  // `return_rip`: where the host goes on behind VMRUN.
  EntryResult enter(Cpu& cpu, u64 vmcb_pa, u64 return_rip);
  void exit(Cpu& cpu, const ExitReport& report);

  // Why the last VMRUN that failed did so.
  const CheckReport& entry_failure() const { return entry_failure_; }
  // VMCB of the guest that runs, or ran last.
  Vmcb vmcb() const { return guest_page_.vmcb(); }
  u64 vmcb_pa() const { return guest_page_.pa(); }

  // What a snapshot of a running guest needs beyond Cpu and memory. restore() sets cpu.virt.
  struct Saved {
    u64 vmcb_pa = 0, host_save_pa = 0;
    NestedPaging nested;
    bool host_interrupts = false;
    u16 pause_count = 0;
    u64 last_pause = 0;
  };
  Saved save() const;
  void restore(Cpu& cpu, const Saved& saved);

  // Observers; may be empty. `on_exit` is called when the VMCB is complete and the host state is
  // loaded.
  std::function<void(Cpu&, const CheckReport&)> on_entry_failure;
  std::function<void(Cpu&, u64 vmcb_pa)> on_entry;
  std::function<void(Cpu&, const ExitReport&, u64 guest_rip)> on_exit;

  // ---- VirtExtension ---------------------------------------------------------------------------
  bool intercept(Cpu& cpu, const Insn& in, Intercept what, u64 detail, u64 value) override;
  bool exception(Cpu& cpu, Event& event, const Event* during) override;
  bool triple_fault(Cpu& cpu) override;
  bool boundary(Cpu& cpu) override;
  bool external(Cpu& cpu, External what, u8 vector) override;
  bool interrupts_allowed(const Cpu& cpu) const override;
  bool wakes(const Cpu& cpu) const override;
  bool translate(Cpu& cpu, u64 gpa, const GpaAccess& access, SecondStage& out) override;
  void take_second_stage_exit(Cpu& cpu, const Event* during) override;
  bool second_stage_active(const Cpu& cpu) const override;

 private:
  // entry.cpp
  const AllowedBits& allowed(const Cpu& cpu);
  void save_host(Cpu& cpu, u64 return_rip);
  void load_guest(Cpu& cpu);
  void flush_as_asked(Cpu& cpu);
  EntryResult refuse(Cpu& cpu, u64 return_rip);
  EntryResult inject(Cpu& cpu);
  // exit.cpp
  void save_guest(Cpu& cpu, const ExitReport& report);
  void load_host(Cpu& cpu);
  void fetch_instruction_bytes(Cpu& cpu);
  bool in_shadow(const Cpu& cpu) const;
  // intercept.cpp
  bool leave(Cpu& cpu, ExitCode code, u64 info1 = 0, u64 info2 = 0);
  bool read_cr(Cpu& cpu, const Insn& in, unsigned cr, u8 gpr);
  bool write_cr(Cpu& cpu, const Insn& in, Intercept what, unsigned cr, u8 gpr, u64 value);
  bool io(Cpu& cpu, const Insn& in, Intercept what, u64 detail);
  bool io_intercepted(const Cpu& cpu, u16 port, unsigned size) const;
  bool msr(Cpu& cpu, u32 index, bool write);
  bool task_switch(Cpu& cpu, u64 detail, u64 error);
  bool pause(Cpu& cpu);
  // events.cpp
  bool virtual_interrupt_ready(const Cpu& cpu) const;

  bool test3(u32 mask) const { return (vmcb().get<Field::Vector3>() & mask) != 0; }
  bool masks_interrupts() const {
    return (vmcb().get<Field::VIntrMasking>() & virq::IntrMasking) != 0;
  }

  MappedPage guest_page_;
  MappedPage host_page_;
  NestedPaging nested_;
  bool host_interrupts_ = false;  // the host's RFLAGS.IF at VMRUN
  u16 pause_count_ = 0;
  u64 last_pause_ = 0;  // in instructions
  // The #NPF that take_second_stage_exit() reports.
  struct {
    u64 info1 = 0, gpa = 0;
    bool fetch = false;
  } nested_fault_;
  // The boundary at which the guest stood in an interrupt shadow.
  struct {
    u64 rip = ~u64{0}, instructions = 0;
  } shadow_;
  CheckReport entry_failure_;
  struct {
    FeatureSet features;
    AllowedBits bits;
  } allowed_;
};

// The extension of this processor; null without SVM.
SvmExtension* extension_of(const Cpu& cpu);

}  // namespace softvt::svm
