// VM exits. SDM 3C chapter 28 "VM Exits".
#include "cpu/core/tlb.h"
#include "cpu/paging/walk.h"
#include "cpu/sys/control_regs.h"
#include "vmx/extension.h"
#include "vmx/segments.h"

namespace softvt::vmx {
namespace {

namespace sr = seg_rights;

constexpr u32 kValid = u32{1} << 31, kErrorValid = 1 << 11;
constexpr u64 kCr0Kept = cr0::CD | cr0::NW;

// SDM 3C 28.7 "VMX Aborts".
enum AbortReason : u32 { kSavingMsrs = 1, kHostPdptes = 2, kLoadingMsrs = 4 };

// SDM 3C 28.5.2 "Loading Host Segment and Descriptor-Table Registers".
Segment host_code(u64 selector, bool wide) {
  Segment s;
  s.selector = static_cast<u16>(selector);
  s.limit = ~u32{0};
  s.rights =
      sr::Code | sr::Readable | sr::Accessed | sr::S | sr::P | sr::G | (wide ? sr::L : sr::DB);
  return s;
}
Segment host_data(u64 selector, u64 base) {
  Segment s;
  s.selector = static_cast<u16>(selector);
  s.base = base;
  s.limit = ~u32{0};
  s.rights = sr::Writable | sr::Accessed | sr::S | sr::P | sr::DB | sr::G;
  if (selector == 0) s.rights |= sr::Unusable;
  return s;
}
Segment host_task(u64 selector, u64 base) {
  constexpr u32 kBusyTss = 11;
  Segment s;
  s.selector = static_cast<u16>(selector);
  s.base = base;
  s.limit = 0x67;
  s.rights = kBusyTss | sr::P;
  return s;
}
Segment host_ldt() {
  Segment s;
  s.rights = sr::Unusable;
  return s;
}

bool pae_paging(const Cpu& cpu) {
  return (cpu.cr0 & cr0::PG) && (cpu.cr4 & cr4::PAE) && !cpu.long_mode();
}

}  // namespace

u32 interruption_info(const Event& event) {
  return kValid | (event.has_error ? kErrorValid : 0) | static_cast<u32>(event.type) << 8 |
         event.vector;
}

void VmxExtension::exit(Cpu& cpu, const ExitInfo& info) {
  constexpr u32 kNmiInfo = kValid | static_cast<u32>(EventType::Nmi) << 8 | 2;
  record(info, 0);
  save_guest(cpu);
  const u32 count = vmcs_.get32(Field::VM_EXIT_MSR_STORE_COUNT);
  if (count != 0 && store_msrs(cpu, vmcs_.get(Field::VM_EXIT_MSR_STORE_ADDR), count) != 0) {
    abort(cpu, kSavingMsrs);
    return;
  }
  leave_guest(cpu, info.intr_info == kNmiInfo);
  load_host(cpu);
  if (on_exit) on_exit(cpu);
}

// SDM 3C 28.2 "Recording VM-Exit Information and Updating VM-Entry Control Fields".
void VmxExtension::record(const ExitInfo& info, u32 reason_flags) {
  const Vmcs v = vmcs_;
  v.set(Field::VM_EXIT_REASON, static_cast<u64>(info.reason) | reason_flags);
  v.set(Field::EXIT_QUALIFICATION, info.qualification);
  v.set(Field::VM_EXIT_INTR_INFO, info.intr_info);
  v.set(Field::VM_EXIT_INTR_ERROR_CODE, info.intr_error);
  v.set(Field::IDT_VECTORING_INFO_FIELD, info.during ? interruption_info(*info.during) : 0);
  if (info.during) v.set(Field::IDT_VECTORING_ERROR_CODE, info.during->error);
  v.set(Field::VM_EXIT_INSTRUCTION_LEN, info.insn_length);
  v.set(Field::VMX_INSTRUCTION_INFO, info.insn_info);
  v.set(Field::GUEST_LINEAR_ADDRESS, info.linear);
  v.set(Field::GUEST_PHYSICAL_ADDRESS, info.physical);
  v.set(Field::VM_ENTRY_INTR_INFO, v.get(Field::VM_ENTRY_INTR_INFO) & ~u64{kValid});
}

// SDM 3C 28.3 "Saving Guest State".
void VmxExtension::save_guest(Cpu& cpu) {
  const Vmcs v = vmcs_;
  v.set(Field::GUEST_CR0, cpu.cr0);
  v.set(Field::GUEST_CR3, cpu.cr3);
  v.set(Field::GUEST_CR4, cpu.cr4);
  v.set(Field::GUEST_SYSENTER_CS, cpu.msr.sysenter_cs);
  v.set(Field::GUEST_SYSENTER_ESP, cpu.msr.sysenter_esp);
  v.set(Field::GUEST_SYSENTER_EIP, cpu.msr.sysenter_eip);
  if (on(Control::SaveDebugControls)) {
    v.set(Field::GUEST_DR7, cpu.dr7);
    v.set(Field::GUEST_IA32_DEBUGCTL, cpu.msr.debugctl);
  }
  if (on(Control::SaveGuestPat)) v.set(Field::GUEST_IA32_PAT, cpu.msr.pat);
  if (on(Control::SaveGuestEfer)) v.set(Field::GUEST_IA32_EFER, cpu.efer);
  if (caps_.supports(Control::LoadGuestPkrs)) v.set(Field::GUEST_IA32_PKRS, cpu.pkrs);
  // SDM 3D A.6: EFER.LMA goes to "IA-32e mode guest".
  constexpr u32 kLma = bit_of(Control::Ia32eModeGuest);
  const u64 entry = v.get(Field::VM_ENTRY_CONTROLS);
  v.set(Field::VM_ENTRY_CONTROLS, cpu.long_mode() ? entry | kLma : entry & ~u64{kLma});
  store_segment_fields<0>(v, cpu.seg[0]);
  store_segment_fields<1>(v, cpu.seg[1]);
  store_segment_fields<2>(v, cpu.seg[2]);
  store_segment_fields<3>(v, cpu.seg[3]);
  store_segment_fields<4>(v, cpu.seg[4]);
  store_segment_fields<5>(v, cpu.seg[5]);
  store_segment_fields<6>(v, cpu.seg[6]);
  store_segment_fields<7>(v, cpu.seg[7]);
  v.set(Field::GUEST_GDTR_BASE, cpu.gdtr.base);
  v.set(Field::GUEST_GDTR_LIMIT, cpu.gdtr.limit);
  v.set(Field::GUEST_IDTR_BASE, cpu.idtr.base);
  v.set(Field::GUEST_IDTR_LIMIT, cpu.idtr.limit);
  v.set(Field::GUEST_RIP, cpu.rip);
  v.set(Field::GUEST_RSP, cpu.r[RSP]);
  v.set(Field::GUEST_RFLAGS, cpu.flags());
  if (eptp_ != 0 && pae_paging(cpu)) {
    v.set(Field::GUEST_PDPTE0, cpu.pdpte[0]);
    v.set(Field::GUEST_PDPTE1, cpu.pdpte[1]);
    v.set(Field::GUEST_PDPTE2, cpu.pdpte[2]);
    v.set(Field::GUEST_PDPTE3, cpu.pdpte[3]);
  }
  save_guest_non_register(cpu);
  // What a guest in 64-bit paging leaves behind passes the checks of the next entry by itself;
  // leftovers of real mode and of mode switches may not.
  if (!cpu.long_mode()) dirty_ |= dirty::kGuest;
}

// SDM 3C 28.3.4 "Saving Non-Register State".
void VmxExtension::save_guest_non_register(Cpu& cpu) {
  constexpr u64 kSti = 1, kMovSs = 2, kNmi = 8;
  constexpr u64 kDr6Conditions = 0xf, kEnabledBreakpoint = 1 << 12, kBs = 1 << 14;
  const bool in_insn = cpu.current != nullptr && cpu.current->cnt <= 1;
  const Shadow shadow = cpu.shadow != Shadow::None ? cpu.shadow
                        : in_insn                  ? cpu.shadow_before
                                                   : Shadow::None;
  u64 blocking = cpu.nmi_blocked ? kNmi : 0;
  if (shadow == Shadow::Sti && (cpu.rflags_rest & rflags::IF)) blocking |= kSti;
  if (shadow == Shadow::MovSs) blocking |= kMovSs;
  // What causes an exit directly does not end HLT first. 28.1 "Architectural State before a VM
  // Exit".
  const Activity activity = cpu.woken_from != Activity::Active ? cpu.woken_from : cpu.activity;
  const bool waits = activity == Activity::Halt || activity == Activity::Shutdown ||
                     activity == Activity::WaitForSipi;
  u64 pending = cpu.pending_dr6 & (kDr6Conditions | kBs);
  if (pending & kDr6Conditions) pending |= kEnabledBreakpoint;
  vmcs_.set(Field::GUEST_INTERRUPTIBILITY_INFO, blocking);
  vmcs_.set(Field::GUEST_ACTIVITY_STATE, waits ? static_cast<u64>(activity) : 0);
  vmcs_.set(Field::GUEST_PENDING_DBG_EXCEPTIONS, pending);
  if (blocking != 0 || waits || pending != 0) dirty_ |= dirty::kNextInsn;
  if (on(Control::SavePreemptionTimer))
    vmcs_.set(Field::VMX_PREEMPTION_TIMER_VALUE, timer_left(cpu));
}

// Non-register state of the host. SDM 3C 28.5.5 "Updating Non-Register State".
void VmxExtension::leave_guest(Cpu& cpu, bool by_nmi) {
  // With "virtual NMIs" the guest's blocking was virtual; NMIs themselves were not blocked.
  cpu.nmi_blocked = by_nmi || (cpu.nmi_blocked && !on(Control::VirtualNmis));
  if (timer_ && timer_->armed()) timer_->cancel();
}

// SDM 3C 28.5 "Loading Host State".
void VmxExtension::load_host(Cpu& cpu) {
  const Vmcs v = vmcs_;
  const bool wide = on(Control::HostAddressSpaceSize);
  cpu.guest_mode = false;
  cpu.asid_tag = 0;
  cpu.second_stage_tag = 0;
  cpu.guest_tsc_offset = 0;
  cpu.step_guest = false;
  cpu.cr0 = (v.get(Field::HOST_CR0) & kCr0Defined & ~kCr0Kept) | cr0::ET | (cpu.cr0 & kCr0Kept);
  cpu.cr3 = v.get(Field::HOST_CR3);
  cpu.cr4 = v.get(Field::HOST_CR4) & caps_.cr4_fixed1;
  if (wide) cpu.cr4 |= cr4::PAE;
  cpu.dr7 = 0x400;
  cpu.msr.debugctl = 0;
  cpu.msr.sysenter_cs = v.get(Field::HOST_IA32_SYSENTER_CS);
  cpu.msr.sysenter_esp = v.get(Field::HOST_IA32_SYSENTER_ESP);
  cpu.msr.sysenter_eip = v.get(Field::HOST_IA32_SYSENTER_EIP);
  if (on(Control::LoadHostEfer)) cpu.efer = v.get(Field::HOST_IA32_EFER) & caps_.efer_defined;
  constexpr u64 kLong = efer::LMA | efer::LME;
  cpu.efer = wide ? cpu.efer | kLong : cpu.efer & ~kLong;
  if (on(Control::LoadHostPat)) cpu.msr.pat = v.get(Field::HOST_IA32_PAT);
  if (on(Control::LoadHostPkrs)) cpu.pkrs = v.get32(Field::HOST_IA32_PKRS);
  put_segment(cpu, 0, host_data(v.get(Field::HOST_ES_SELECTOR), 0));
  put_segment(cpu, 1, host_code(v.get(Field::HOST_CS_SELECTOR), wide));
  put_segment(cpu, 2, host_data(v.get(Field::HOST_SS_SELECTOR), 0));
  put_segment(cpu, 3, host_data(v.get(Field::HOST_DS_SELECTOR), 0));
  put_segment(cpu, 4, host_data(v.get(Field::HOST_FS_SELECTOR), v.get(Field::HOST_FS_BASE)));
  put_segment(cpu, 5, host_data(v.get(Field::HOST_GS_SELECTOR), v.get(Field::HOST_GS_BASE)));
  put_segment(cpu, 6, host_ldt());
  put_segment(cpu, 7, host_task(v.get(Field::HOST_TR_SELECTOR), v.get(Field::HOST_TR_BASE)));
  cpu.gdtr = {v.get(Field::HOST_GDTR_BASE), 0xffff};
  cpu.idtr = {v.get(Field::HOST_IDTR_BASE), 0xffff};
  cpu.rip = v.get(Field::HOST_RIP);
  cpu.r[RSP] = v.get(Field::HOST_RSP);
  put_flags(cpu, rflags::Fixed1);
  cpu.shadow = Shadow::None;
  cpu.pending_dr6 = 0;
  cpu.activity = Activity::Active;
  cpu.fault_pending = false;
  cpu.second_stage_pending = false;
  cpu.monitor_armed = false;
  cpu.update_mode();
  if (!on(Control::EnableVpid) && cpu.tlbs != nullptr) cpu.tlbs->flush_asid(cpu, 0, false);
  if (pae_paging(cpu) && !load_pdptes(cpu, cpu.cr3)) {
    abort(cpu, kHostPdptes);
    return;
  }
  const u32 count = v.get32(Field::VM_EXIT_MSR_LOAD_COUNT);
  if (count != 0 && load_msrs(cpu, v.get(Field::VM_EXIT_MSR_LOAD_ADDR), count, false) != 0)
    abort(cpu, kLoadingMsrs);
  cpu.request_exit();
}

// SDM 3C 28.7 "VMX Aborts": the processor enters shutdown and only RESET gets it out.
void VmxExtension::abort(Cpu& cpu, u32 reason) {
  vmcs_.set_abort(reason);
  leave_guest(cpu, false);
  cpu.guest_mode = false;
  cpu.asid_tag = 0;
  cpu.second_stage_tag = 0;
  cpu.guest_tsc_offset = 0;
  cpu.step_guest = false;
  cpu.fault_pending = cpu.second_stage_pending = false;
  cpu.update_mode();
  cpu.activity = Activity::Shutdown;
  cpu.request_exit();
}

}  // namespace softvt::vmx
