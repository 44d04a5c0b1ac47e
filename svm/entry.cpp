// VMRUN. APM 2 15.5 "VMRUN Instruction".
#include "cpu/core/tlb.h"
#include "cpu/paging/walk.h"
#include "cpu/phys_memory.h"
#include "cpu/seg/deliver.h"
#include "cpu/sys/debug_regs.h"
#include "svm/extension.h"
#include "svm/state.h"

namespace softvt::svm {
namespace {

Event injected_event(u64 field, bool& software) {
  Event e;
  e.vector = static_cast<u8>(field);
  software = false;
  switch (static_cast<event::Type>((field >> event::TypeShift) & 7)) {
    case event::Type::Interrupt:
      e.type = EventType::ExternalInterrupt;
      break;
    case event::Type::Nmi:
      e.type = EventType::Nmi;
      e.vector = static_cast<u8>(Vector::NMI);  // the vector field is ignored, 15.20
      break;
    case event::Type::Exception:
      software = e.vector == static_cast<u8>(Vector::BP) || e.vector == static_cast<u8>(Vector::OF);
      e.type = software ? EventType::SoftwareException : EventType::HardwareException;
      break;
    case event::Type::SoftwareInterrupt:
      software = true;
      e.type = EventType::SoftwareInterrupt;
      break;
  }
  if (e.type == EventType::HardwareException && (field & event::ErrorValid)) {
    e.has_error = true;
    e.error = static_cast<u32>(field >> event::ErrorShift);
  }
  return e;
}

}  // namespace

void MappedPage::map(Cpu& cpu, u64 pa) {
  pa_ = pa & ~kPageMask;
  flags_ = cpu.mem->flags(pa_);
  bytes_ = cpu.mem->page(pa_);
  const bool rom = bytes_ != nullptr && (*flags_ & page_flag::kReadOnly);
  if (bytes_ != nullptr && !rom) return;
  if (rom)
    std::memcpy(nowhere_.data(), bytes_, kPageSize);
  else
    nowhere_.fill(0xff);
  bytes_ = nowhere_.data();
  flags_ = nullptr;
}

void MappedPage::written(Cpu& cpu) const {
  if (flags_ != nullptr && (*flags_ & page_flag::kCode) && cpu.mem->on_code_write)
    cpu.mem->on_code_write(pa_, kPageSize);
}

const AllowedBits& SvmExtension::allowed(const Cpu& cpu) {
  if (!(allowed_.features == cpu.features)) allowed_ = {cpu.features, allowed_bits(cpu)};
  return allowed_.bits;
}

EntryResult SvmExtension::enter(Cpu& cpu, u64 vmcb_pa, u64 return_rip) {
  guest_page_.map(cpu, vmcb_pa);
  if (!checks_hold({vmcb(), cpu, allowed(cpu)})) return refuse(cpu, return_rip);
  save_host(cpu, return_rip);
  load_guest(cpu);
  flush_as_asked(cpu);
  if (on_entry) on_entry(cpu, guest_page_.pa());
  if (vmcb().get<Field::EventInj>() & event::Valid) return inject(cpu);
  return EntryResult::Entered;
}

// The #VMEXIT finds the host's state in place; what a real one would reload is what it was.
EntryResult SvmExtension::refuse(Cpu& cpu, u64 return_rip) {
  report_checks({vmcb(), cpu}, entry_failure_);
  const Vmcb v = vmcb();
  v.put<Field::ExitCode>(static_cast<u64>(ExitCode::Invalid));
  v.put<Field::ExitInfo1>(0);
  v.put<Field::ExitInfo2>(0);
  v.put<Field::ExitIntInfo>(0);
  v.put<Field::NRip>(0);
  guest_page_.written(cpu);
  cpu.gif = false;
  cpu.dr7 = dr7::Fixed1;
  cpu.shadow = Shadow::None;
  cpu.rip = return_rip;
  cpu.update_mode();
  if (on_entry_failure) on_entry_failure(cpu, entry_failure_);
  if (on_exit) on_exit(cpu, ExitReport{}, v.get<Field::Rip>());
  return EntryResult::Invalid;
}

// The format of the save area is the processor's own affair; it is that of a VMCB, so it does not
// collide with a VMSAVE to the same page, which hypervisors do. APM 2 15.30.4 "VM_HSAVE_PA MSR".
void SvmExtension::save_host(Cpu& cpu, u64 return_rip) {
  host_page_.map(cpu, cpu.msr.vm_hsave_pa);
  const Vmcb to = host_page_.vmcb();
  store_world(cpu, to, return_rip);
  to.put<Field::GPat>(cpu.msr.pat);
  host_page_.written(cpu);
  host_interrupts_ = (cpu.rflags_rest & rflags::IF) != 0;
  nested_.enabled = false;
  if (cpu.has(Feature::Npt) && (vmcb().get<Field::NpEnable>() & 1))
    nested_ = nested_paging_of(cpu, vmcb().get<Field::NCr3>());
}

void SvmExtension::load_guest(Cpu& cpu) {
  const Vmcb v = vmcb();
  load_world(cpu, v);
  cpu.cr2 = v.get<Field::Cr2>();
  cpu.dr6 = (v.get<Field::Dr6>() & dr6::Writable) | dr6::Fixed1;
  cpu.dr7 = (v.get<Field::Dr7>() & dr7::Writable) | dr7::Fixed1;
  if (nested_.enabled) cpu.msr.pat = v.get<Field::GPat>();
  cpu.guest_tsc_offset = v.get<Field::TscOffset>();
  cpu.shadow = (v.get<Field::InterruptShadow>() & 1) ? Shadow::Sti : Shadow::None;
  cpu.pending_dr6 = 0;
  cpu.activity = Activity::Active;
  cpu.guest_cr0 = cpu.guest_cr4 = Cpu::CrMask{};
  cpu.virt = this;
  cpu.guest_mode = true;
  cpu.gif = true;
  cpu.asid_tag = v.get<Field::GuestAsid>();
  cpu.second_stage_tag = nested_.enabled ? nested_.root | 1 : 0;
  pause_count_ = v.get<Field::PauseFilterCount>();
  shadow_ = {};
  const bool pae = (cpu.cr0 & cr0::PG) && (cpu.cr4 & cr4::PAE) && !cpu.long_mode();
  if (pae && !nested_.enabled) load_pdptes(cpu, cpu.cr3);  // the checks have seen them
  cpu.update_mode();
  cpu.request_exit();  // virtual interrupts, and what GIF held back
}

// APM 2 15.16.1 "TLB Flush", table 15-9.
void SvmExtension::flush_as_asked(Cpu& cpu) {
  const auto control = static_cast<TlbControl>(vmcb().get<Field::TlbControl>());
  if (control == TlbControl::Nothing || cpu.tlbs == nullptr) return;
  if (control == TlbControl::FlushAll)
    cpu.tlb_flush_everything();
  else
    cpu.tlbs->flush_asid(cpu, cpu.asid_tag, true);
}

// APM 2 15.20 "Event Injection". Software interrupts and exceptions push nRIP where the processor
// has it; without that feature the RIP.
EntryResult SvmExtension::inject(Cpu& cpu) {
  bool software;
  Event e = injected_event(vmcb().get<Field::EventInj>(), software);
  e.cr2 = cpu.cr2;  // an injected #PF leaves CR2 as the VMCB has it
  if (software) cpu.next_rip = cpu.has(Feature::NripSave) ? vmcb().get<Field::NRip>() : cpu.rip;
  cpu.fault_pending = cpu.second_stage_pending = false;
  const Delivered result = deliver_with_escalation(cpu, e, Origin::Injected);
  return result == Delivered::Ok ? EntryResult::Entered : EntryResult::Exited;
}

SvmExtension* extension_of(const Cpu& cpu) { return cpu.svm; }

}  // namespace softvt::svm
