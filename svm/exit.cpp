// #VMEXIT. APM 2 15.6 "#VMEXIT", 15.7 "Intercept Operation".
#include "cpu/paging/walk.h"
#include "cpu/phys_memory.h"
#include "cpu/sys/debug_regs.h"
#include "svm/extension.h"
#include "svm/state.h"

namespace softvt::svm {
namespace {

event::Type type_of(const Event& e) {
  switch (e.type) {
    case EventType::ExternalInterrupt:
      return event::Type::Interrupt;
    case EventType::Nmi:
      return event::Type::Nmi;
    case EventType::SoftwareInterrupt:
      return event::Type::SoftwareInterrupt;
    default:
      return event::Type::Exception;
  }
}

// APM 2 15.7.2 "State Saved on Exit", EXITINTINFO.
u64 interrupted_event(const Event* e) {
  if (e == nullptr) return 0;
  u64 field = e->vector | u64{static_cast<u8>(type_of(*e))} << event::TypeShift | event::Valid;
  if (e->has_error) field |= event::ErrorValid | u64{e->error} << event::ErrorShift;
  return field;
}

constexpr unsigned kMostBytes = 15;

void put_instruction_bytes(Vmcb v, const u8* bytes, unsigned count) {
  v.put<Field::BytesFetched>(static_cast<u8>(count));
  std::memcpy(v.bytes() + row(Field::InstructionBytesLow).offset, bytes, kMostBytes);
}

// Host state comes from memory that software can reach. What the processor itself would not accept
// is a shutdown. APM 2 15.6.
bool acceptable_host(const AllowedBits& allowed, Vmcb from) {
  const u64 cr0 = from.get<Field::Cr0>(), cr4 = from.get<Field::Cr4>();
  const u64 efer = from.get<Field::Efer>();
  if ((cr0 & cr0::PE) == 0 || (cr0 >> 32)) return false;
  if ((cr0 & (cr0::CD | cr0::NW)) == cr0::NW) return false;
  if ((cr4 & ~allowed.cr4) || (efer & ~allowed.efer)) return false;
  const bool long_mode = (efer & efer::LME) && (cr0 & cr0::PG);
  return !long_mode || (cr4 & cr4::PAE);
}

}  // namespace

// True if the instruction at RIP was begun in an interrupt shadow and has not been completed.
bool SvmExtension::in_shadow(const Cpu& cpu) const {
  if (cpu.shadow != Shadow::None) return true;
  return shadow_.rip == cpu.rip && cpu.instructions() - shadow_.instructions <= 1;
}

void SvmExtension::exit(Cpu& cpu, const ExitReport& report) {
  const u64 guest_rip = cpu.rip;
  save_guest(cpu, report);
  if (report.instruction_bytes) fetch_instruction_bytes(cpu);
  guest_page_.written(cpu);
  load_host(cpu);
  if (on_exit) on_exit(cpu, report, guest_rip);
}

void SvmExtension::save_guest(Cpu& cpu, const ExitReport& report) {
  const Vmcb v = vmcb();
  store_world(cpu, v, cpu.rip);
  v.put<Field::Cr2>(cpu.cr2);
  v.put<Field::Dr6>(cpu.dr6);
  v.put<Field::Dr7>(cpu.dr7);
  if (nested_.enabled) v.put<Field::GPat>(cpu.msr.pat);
  v.put<Field::InterruptShadow>(in_shadow(cpu) ? 1 : 0);
  v.put<Field::ExitCode>(static_cast<u64>(report.code));
  v.put<Field::ExitInfo1>(report.info1);
  v.put<Field::ExitInfo2>(report.info2);
  v.put<Field::ExitIntInfo>(interrupted_event(report.during));
  v.put<Field::NRip>(cpu.has(Feature::NripSave) ? report.next_rip : 0);
  v.put<Field::EventInj>(v.get<Field::EventInj>() & ~event::Valid);
  v.put<Field::BytesFetched>(0);
}

// APM 2 15.8.4 "Nested and intercepted #PF": up to 15 bytes from CS:RIP as far as they can be had
// without a fault; none for faults of the fetch itself.
void SvmExtension::fetch_instruction_bytes(Cpu& cpu) {
  u8 bytes[kMostBytes] = {};
  unsigned count = 0;
  const u64 base = cpu.code64() ? 0 : segment(cpu, Seg::CS).base;
  while (count < kMostBytes) {
    u64 linear = base + cpu.rip + count;
    if (!cpu.code64()) linear &= 0xffffffff;
    u64 pa;
    if (!peek(cpu, linear, pa)) break;
    const u64 room = kPageSize - (linear & kPageMask);
    const unsigned part =
        room < kMostBytes - count ? static_cast<unsigned>(room) : kMostBytes - count;
    if (!cpu.mem->read(pa, bytes + count, part)) break;
    count += part;
  }
  put_instruction_bytes(vmcb(), bytes, count);
}

void SvmExtension::load_host(Cpu& cpu) {
  const Vmcb from = host_page_.vmcb();
  const bool pat_switched = nested_.enabled;
  nested_.enabled = false;
  cpu.guest_mode = false;
  cpu.gif = false;
  cpu.asid_tag = 0;
  cpu.second_stage_tag = 0;
  cpu.guest_tsc_offset = 0;
  cpu.fault_pending = cpu.second_stage_pending = false;
  cpu.pending_dr6 = 0;
  cpu.shadow = Shadow::None;
  cpu.activity = Activity::Active;
  cpu.dr7 = dr7::Fixed1;  // all breakpoints off
  const bool good = acceptable_host(allowed(cpu), from);
  if (good) {
    if (pat_switched) cpu.msr.pat = from.get<Field::GPat>();
    load_world(cpu, from);
    // The host runs at CPL 0, outside virtual-8086 mode. APM 2 15.6.
    cpu.rflags_rest &= ~rflags::VM;
    cpu.seg[static_cast<unsigned>(Seg::SS)].rights &= ~seg_rights::DplMask;
    // The #VMEXIT completes VMRUN: the host's single-step trap follows. APM 2 15.5.1.
    if (cpu.rflags_rest & rflags::TF) cpu.pending_dr6 = dr6::BS;
  }
  cpu.update_mode();
  const bool pae = (cpu.cr0 & cr0::PG) && (cpu.cr4 & cr4::PAE) && !cpu.long_mode();
  if (!good || (pae && !load_pdptes(cpu, cpu.cr3))) {
    cpu.fault_pending = cpu.second_stage_pending = false;
    cpu.activity = Activity::Shutdown;
  }
  cpu.request_exit();
}

}  // namespace softvt::svm
