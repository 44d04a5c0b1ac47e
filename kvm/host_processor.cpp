#include "kvm/host_processor.h"

#include "cpu/apic/apic_timer.h"
#include "cpu/cpuid/model.h"
#include "cpu/msr/msr_table.h"
#include "cpu/timeline.h"

namespace softvt::kvm {
namespace {

constexpr u32 kCode64Rights = 0xa09b;
constexpr u32 kDataRights = 0xc093;
constexpr u32 kTssRights = 0x008b;
constexpr u32 kTssLimit = 0x67;
constexpr u64 kRandomSeed = 0x9e3779b97f4a7c15;

}  // namespace

HostProcessor::HostProcessor(HostMemory& memory, const ProcessorTables& tables,
                             const CpuModel& model, Timeline& timeline, u32 index, u32 count)
    : memory_(memory), jumps_(kJumpEntries) {
  cpu_.index = index;
  cpu_.count = count;
  cpu_.mem = &memory.physical();
  cpu_.bus = &bus_;
  cpu_.timeline = &timeline;
  cpu_.isa = &tables.instructions;
  cpu_.msrs = &tables.msrs;
  cpu_.code = &memory.code();
  cpu_.tlbs = &tlbs_;
  cpu_.jumps = jumps_.data();
  apply_model(cpu_, model);
  memory.code().attach({&tlbs_, &cpu_});
  cpu_.update_mode();
  cpu_.power_on_reset();
  cpu_.random_state = kRandomSeed * (index + 1);
}

bool HostProcessor::boot() {
  const u64 pml4 = memory_.allocate_page();
  const u64 tables = memory_.allocate_page();
  const u64 stack = memory_.allocate_page();
  if (pml4 == 0 || tables == 0 || stack == 0) return false;
  cpu_.activity = Activity::Active;
  state_.cr0 = cr0::PE | cr0::MP | cr0::ET | cr0::NE | cr0::WP | cr0::PG;
  state_.cr3 = pml4;
  state_.cr4 = cr4::PAE | cr4::PGE | cr4::OSFXSR | cr4::OSXMMEXCPT;
  if (cpu_.has(Feature::Xsave)) state_.cr4 |= cr4::OSXSAVE;
  state_.efer = efer::SCE | efer::LME | efer::LMA | efer::NXE;
  state_.gdt_base = tables;
  state_.idt_base = tables + 0x100;
  state_.tr_base = tables + 0x200;
  state_.rsp = stack + kPageSize;
  state_.rip = tables + 0x800;
  cpu_.cr0 = state_.cr0;
  cpu_.cr3 = state_.cr3;
  cpu_.cr4 = state_.cr4;
  cpu_.efer = state_.efer;
  for (const Seg seg : {Seg::ES, Seg::SS, Seg::DS, Seg::FS, Seg::GS}) {
    cpu_.set_segment(seg, {state_.data, ~u32{0}, 0, kDataRights});
  }
  cpu_.set_segment(Seg::CS, {state_.cs, ~u32{0}, 0, kCode64Rights});
  cpu_.set_segment(Seg::TR, {state_.tr, kTssLimit, state_.tr_base, kTssRights});
  cpu_.set_segment(Seg::LDTR, {0, 0, 0, seg_rights::Unusable});
  cpu_.gdtr = {state_.gdt_base, 0xff};
  cpu_.idtr = {state_.idt_base, 0xff};
  cpu_.rip = state_.rip;
  cpu_.set_flags(rflags::Fixed1);
  cpu_.update_mode();
  cpu_.tlb_flush_everything();
  cpu_.stop_on_vm_exit = true;
  return true;
}

void HostProcessor::set_cr4(u64 value) {
  state_.cr4 = value;
  cpu_.cr4 = value;
  cpu_.update_mode();
}

bool HostProcessor::rdmsr(u32 index, u64& value) { return cpu_.msrs->read(cpu_, index, value); }

bool HostProcessor::wrmsr(u32 index, u64 value) { return cpu_.msrs->write(cpu_, index, value); }

u64 HostProcessor::nanos() const { return cpu_.timeline->now(); }

u64 HostProcessor::rdtsc() const {
  return nanos() * kTscTicksPerNano + static_cast<u64>(cpu_.tsc_offset);
}

void HostProcessor::kick() {
  bus_.kicked = true;
  cpu_.irq_hint = true;
  cpu_.request_exit();
}

RunStop HostProcessor::run_guest(i64 budget) {
  // The processor stops as soon as its budget is negative.
  return cpu_.run(budget > 0 ? budget - 1 : 0);
}

}  // namespace softvt::kvm
