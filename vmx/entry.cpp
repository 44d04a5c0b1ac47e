// VM entries. SDM 3C chapter 27 "VM Entries".
#include "cpu/apic/apic_timer.h"
#include "cpu/core/tlb.h"
#include "cpu/paging/walk.h"
#include "cpu/seg/deliver.h"
#include "cpu/sys/control_regs.h"
#include "vmx/extension.h"
#include "vmx/segments.h"

namespace softvt::vmx {
namespace {

constexpr u64 kCr0Kept = cr0::CD | cr0::NW;  // entries leave them. SDM 3C 27.3.2.1

bool blocked_by_mov_ss(const Cpu& cpu) {
  return cpu.current != nullptr && cpu.current->cnt <= 1 && cpu.shadow_before == Shadow::MovSs;
}

bool pae_paging(const Cpu& cpu) {
  return (cpu.cr0 & cr0::PG) && (cpu.cr4 & cr4::PAE) && !cpu.long_mode();
}

}  // namespace

CheckContext VmxExtension::context(const Cpu& cpu) const {
  return {vmcs_, caps_, cpu.long_mode(), current_, cpu.mem};
}

void VmxExtension::report(const Cpu& cpu, bool launch, CheckClass cls) const {
  if (on_entry_failure)
    on_entry_failure(failure_report(launch ? "VMLAUNCH" : "VMRESUME", context(cpu), cls));
}

// SDM 3C 27.1 "Basic VM-Entry Checks", 27.2, 27.3.1.
VmResult VmxExtension::enter(Cpu& cpu, bool launch) {
  if (!vmcs_) return kVmFailInvalid;
  if (blocked_by_mov_ss(cpu)) return fail(InsnError::EntryBlockedByMovSs);
  const bool launched = vmcs_.launch_state() == LaunchState::Launched;
  if (launch && launched) return fail(InsnError::VmlaunchNotClear);
  if (!launch && !launched) return fail(InsnError::VmresumeNotLaunched);
  // Some host checks depend on the mode that the entry is made from.
  if (cpu.long_mode() != checked_ia32e_) dirty_ |= dirty::kHost | dirty::kControls;
  if (dirty_ != 0) {
    const CheckContext ctx = context(cpu);
    if (first_failure(ctx, CheckClass::Control, dirty_)) {
      report(cpu, launch, CheckClass::Control);
      return fail(InsnError::EntryInvalidControls);
    }
    if (first_failure(ctx, CheckClass::Host, dirty_)) {
      report(cpu, launch, CheckClass::Host);
      return fail(InsnError::EntryInvalidHostState);
    }
    if (const CheckRow* row = first_failure(ctx, CheckClass::Guest, dirty_)) {
      report(cpu, launch, CheckClass::Guest);
      fail_entry(cpu, ExitReason::EntryInvalidGuestState, row->qualification);
      return kVmSucceed;
    }
  }
  checked_ia32e_ = cpu.long_mode();
  dirty_ = 0;
  ++entries_;
  read_controls(cpu);
  enter_world(cpu);
  load_guest(cpu);
  if (!load_guest_pdptes(cpu)) {
    constexpr u64 kPdpte = 2;
    fail_entry(cpu, ExitReason::EntryInvalidGuestState, kPdpte);
    return kVmSucceed;
  }
  const u32 count = vmcs_.get32(Field::VM_ENTRY_MSR_LOAD_COUNT);
  if (count != 0) {
    if (u32 bad = load_msrs(cpu, vmcs_.get(Field::VM_ENTRY_MSR_LOAD_ADDR), count, true)) {
      fail_entry(cpu, ExitReason::EntryMsrLoading, bad);
      return kVmSucceed;
    }
  }
  if (launch) vmcs_.set_launch_state(LaunchState::Launched);
  cpu.monitor_armed = false;  // 27.3.3 "Clearing Address-Range Monitoring"
  load_guest_non_register(cpu);
  if (on_entry) on_entry(cpu, launch);
  start_timer(cpu);
  inject(cpu);
  cpu.request_exit();
  return kVmSucceed;
}

// What the guest's doings are measured with until the next exit.
void VmxExtension::read_controls(Cpu& cpu) {
  controls_[static_cast<unsigned>(ControlGroup::Pin)] =
      vmcs_.get32(Field::PIN_BASED_VM_EXEC_CONTROL);
  controls_[static_cast<unsigned>(ControlGroup::Primary)] =
      vmcs_.get32(Field::CPU_BASED_VM_EXEC_CONTROL);
  controls_[static_cast<unsigned>(ControlGroup::Secondary)] = vmcs_.secondary();
  controls_[static_cast<unsigned>(ControlGroup::Exit)] = vmcs_.get32(Field::VM_EXIT_CONTROLS);
  controls_[static_cast<unsigned>(ControlGroup::Entry)] = vmcs_.get32(Field::VM_ENTRY_CONTROLS);
  eptp_ = on(Control::EnableEpt) ? vmcs_.get(Field::EPT_POINTER) : 0;
  io_bitmap_[0] = vmcs_.get(Field::IO_BITMAP_A);
  io_bitmap_[1] = vmcs_.get(Field::IO_BITMAP_B);
  msr_bitmap_ = vmcs_.get(Field::MSR_BITMAP);
  cpu.guest_cr0 = {vmcs_.get(Field::CR0_GUEST_HOST_MASK), vmcs_.get(Field::CR0_READ_SHADOW)};
  cpu.guest_cr4 = {vmcs_.get(Field::CR4_GUEST_HOST_MASK), vmcs_.get(Field::CR4_READ_SHADOW)};
  cpu.guest_tsc_offset = on(Control::TscOffsetting) ? vmcs_.get(Field::TSC_OFFSET) : 0;
}

// Which linear mappings count from now on. SDM 3C 29.4.3.1: without VPID each entry and each exit
// invalidates those of VPID 0000H.
void VmxExtension::enter_world(Cpu& cpu) {
  cpu.virt = this;
  cpu.guest_mode = true;
  cpu.second_stage_tag = eptp_;
  cpu.asid_tag = on(Control::EnableVpid) ? vmcs_.get32(Field::VIRTUAL_PROCESSOR_ID) : 0;
}

// SDM 3C 27.3.2.1: without "load IA32_EFER" LMA follows "IA-32e mode guest", and LME too unless
// paging is off.
void VmxExtension::load_guest_efer(Cpu& cpu) {
  if (on(Control::LoadGuestEfer)) {
    cpu.efer = vmcs_.get(Field::GUEST_IA32_EFER) & caps_.efer_defined;
    return;
  }
  cpu.efer &= ~efer::LMA;
  if (on(Control::Ia32eModeGuest))
    cpu.efer |= efer::LMA | efer::LME;
  else if (vmcs_.get(Field::GUEST_CR0) & cr0::PG)
    cpu.efer &= ~efer::LME;
}

// SDM 3C 27.3.2 "Loading Guest State".
void VmxExtension::load_guest(Cpu& cpu) {
  const Vmcs v = vmcs_;
  cpu.cr0 = (v.get(Field::GUEST_CR0) & kCr0Defined & ~kCr0Kept) | cr0::ET | (cpu.cr0 & kCr0Kept);
  cpu.cr3 = v.get(Field::GUEST_CR3);
  cpu.cr4 = v.get(Field::GUEST_CR4) & caps_.cr4_fixed1;
  load_guest_efer(cpu);
  if (on(Control::LoadDebugControls)) {
    constexpr u64 kDr7Writable = 0xffff2bff, kDr7Fixed1 = 0x400;
    cpu.dr7 = (v.get(Field::GUEST_DR7) & kDr7Writable) | kDr7Fixed1;
    cpu.msr.debugctl = v.get(Field::GUEST_IA32_DEBUGCTL);
  }
  cpu.msr.sysenter_cs = v.get(Field::GUEST_SYSENTER_CS);
  cpu.msr.sysenter_esp = v.get(Field::GUEST_SYSENTER_ESP);
  cpu.msr.sysenter_eip = v.get(Field::GUEST_SYSENTER_EIP);
  if (on(Control::LoadGuestPat)) cpu.msr.pat = v.get(Field::GUEST_IA32_PAT);
  if (on(Control::LoadGuestPkrs)) cpu.pkrs = v.get32(Field::GUEST_IA32_PKRS);
  put_segment(cpu, 0, load_segment_fields<0>(v));
  put_segment(cpu, 1, load_segment_fields<1>(v));
  put_segment(cpu, 2, load_segment_fields<2>(v));
  put_segment(cpu, 3, load_segment_fields<3>(v));
  put_segment(cpu, 4, load_segment_fields<4>(v));
  put_segment(cpu, 5, load_segment_fields<5>(v));
  put_segment(cpu, 6, load_segment_fields<6>(v));
  put_segment(cpu, 7, load_segment_fields<7>(v));
  cpu.gdtr = {v.get(Field::GUEST_GDTR_BASE), static_cast<u16>(v.get(Field::GUEST_GDTR_LIMIT))};
  cpu.idtr = {v.get(Field::GUEST_IDTR_BASE), static_cast<u16>(v.get(Field::GUEST_IDTR_LIMIT))};
  cpu.rip = v.get(Field::GUEST_RIP);
  cpu.r[RSP] = v.get(Field::GUEST_RSP);
  put_flags(cpu, v.get(Field::GUEST_RFLAGS));
  cpu.update_mode();
  if (!on(Control::EnableVpid) && cpu.tlbs != nullptr) cpu.tlbs->flush_asid(cpu, 0, false);
}

// SDM 3C 27.3.2.4 "Loading Page-Directory-Pointer-Table Entries".
bool VmxExtension::load_guest_pdptes(Cpu& cpu) {
  if (!pae_paging(cpu)) return true;
  if (eptp_ == 0) return load_pdptes(cpu, cpu.cr3);
  cpu.pdpte[0] = vmcs_.get(Field::GUEST_PDPTE0);
  cpu.pdpte[1] = vmcs_.get(Field::GUEST_PDPTE1);
  cpu.pdpte[2] = vmcs_.get(Field::GUEST_PDPTE2);
  cpu.pdpte[3] = vmcs_.get(Field::GUEST_PDPTE3);
  return true;
}

// SDM 3C 27.3.2.5 "Updating Non-Register State", 27.7.1, 27.7.2, 27.7.3.
void VmxExtension::load_guest_non_register(Cpu& cpu) {
  constexpr u32 kSti = 1, kMovSs = 2, kNmi = 8;
  constexpr u64 kDr6Conditions = 0xf, kBs = 1 << 14;
  const u32 blocking = vmcs_.get32(Field::GUEST_INTERRUPTIBILITY_INFO);
  cpu.shadow = blocking & kMovSs ? Shadow::MovSs : blocking & kSti ? Shadow::Sti : Shadow::None;
  cpu.nmi_blocked = blocking & kNmi;
  cpu.activity = static_cast<Activity>(vmcs_.get(Field::GUEST_ACTIVITY_STATE) & 3);
  const u64 pending = vmcs_.get(Field::GUEST_PENDING_DBG_EXCEPTIONS);
  cpu.pending_dr6 = pending & (kDr6Conditions | kBs);
  mtf_pending_ = false;
  mtf_unset_ = true;
  mtf_rip_ = cpu.rip;
  cpu.step_guest = on(Control::MonitorTrapFlag);
}

// SDM 3C 26.5.1 "VMX-Preemption Timer": it counts whenever bit `rate` of the TSC changes.
void VmxExtension::start_timer(Cpu& cpu) {
  if (!on(Control::PreemptionTimer)) return;
  const u64 value = vmcs_.get(Field::VMX_PREEMPTION_TIMER_VALUE);
  const u64 now = host_tsc(cpu);
  const unsigned rate = caps_.preemption_rate();
  timer_deadline_ = ((now >> rate) + value) << rate;
  if (cpu.timeline == nullptr || timer_deadline_ <= now) return;
  if (!timer_) timer_.emplace(*cpu.timeline, [&cpu] { cpu.request_exit(); });
  const u64 ticks = timer_deadline_ - now;
  timer_->arm(cpu.nanos() + (ticks + kTscTicksPerNano - 1) / kTscTicksPerNano);
}

// SDM 3C 27.6 "Event Injection".
void VmxExtension::inject(Cpu& cpu) {
  const u32 info = vmcs_.get32(Field::VM_ENTRY_INTR_INFO);
  if ((info >> 31) == 0) return;
  const unsigned type = info >> 8 & 7;
  cpu.activity = Activity::Active;
  if (type == injected::kOther) {  // 27.6.2 "Injection of Pending MTF VM Exits"
    mtf_pending_ = true;
    return;
  }
  Event event;
  event.vector = static_cast<u8>(info);
  event.type = static_cast<EventType>(type);
  event.has_error = info >> 11 & 1;
  event.error = vmcs_.get32(Field::VM_ENTRY_EXCEPTION_ERROR_CODE);
  event.cr2 = cpu.cr2;
  cpu.next_rip = cpu.rip + vmcs_.get(Field::VM_ENTRY_INSTRUCTION_LEN);
  if (!cpu.code64()) cpu.next_rip &= 0xffffffff;
  cpu.fault_pending = false;
  if (deliver_with_escalation(cpu, event, Origin::Injected) != Delivered::Ok) return;
  mtf_pending_ = on(Control::MonitorTrapFlag);  // 26.5.2
}

// SDM 3C 27.8 "VM-Entry Failures During or After Loading Guest State". Nothing of the guest is
// saved, and of the information fields only reason and qualification are written.
void VmxExtension::fail_entry(Cpu& cpu, ExitReason reason, u64 qualification) {
  controls_[static_cast<unsigned>(ControlGroup::Exit)] = vmcs_.get32(Field::VM_EXIT_CONTROLS);
  controls_[static_cast<unsigned>(ControlGroup::Secondary)] = vmcs_.secondary();
  vmcs_.set(Field::VM_EXIT_REASON, static_cast<u64>(reason) | kEntryFailure);
  vmcs_.set(Field::EXIT_QUALIFICATION, qualification);
  dirty_ = dirty::kAll;
  cpu.fault_pending = cpu.second_stage_pending = false;
  load_host(cpu);
}

}  // namespace softvt::vmx
