#include "svm/state.h"

#include "cpu/sys/control_regs.h"
#include "svm/extension.h"

namespace softvt::svm {

void store_world(const Cpu& cpu, Vmcb to, u64 rip) {
  to.put_segment<Field::EsSelector>(to_vmcb(segment(cpu, Seg::ES)));
  to.put_segment<Field::CsSelector>(to_vmcb(segment(cpu, Seg::CS)));
  to.put_segment<Field::SsSelector>(to_vmcb(segment(cpu, Seg::SS)));
  to.put_segment<Field::DsSelector>(to_vmcb(segment(cpu, Seg::DS)));
  to.put<Field::GdtrLimit>(cpu.gdtr.limit);
  to.put<Field::GdtrBase>(cpu.gdtr.base);
  to.put<Field::IdtrLimit>(cpu.idtr.limit);
  to.put<Field::IdtrBase>(cpu.idtr.base);
  to.put<Field::Efer>(cpu.efer);
  to.put<Field::Cr0>(cpu.cr0);
  to.put<Field::Cr3>(cpu.cr3);
  to.put<Field::Cr4>(cpu.cr4);
  to.put<Field::Rflags>(cpu.flags());
  to.put<Field::Rip>(rip);
  to.put<Field::Rsp>(cpu.r[RSP]);
  to.put<Field::Rax>(cpu.r[RAX]);
  to.put<Field::Cpl>(static_cast<u8>(cpu.cpl()));
}

namespace {

void load_control_registers(Cpu& cpu, Vmcb from) {
  cpu.cr0 = (from.get<Field::Cr0>() & kCr0Defined) | cr0::ET;
  cpu.cr3 = from.get<Field::Cr3>();
  cpu.cr4 = from.get<Field::Cr4>();
  const u64 efer = from.get<Field::Efer>() & ~efer::LMA;
  const bool long_mode = (efer & efer::LME) && (cpu.cr0 & cr0::PG);
  cpu.efer = long_mode ? efer | efer::LMA : efer;
}

// VM86 exists in legacy protected mode only.
void load_flags(Cpu& cpu, u64 flags) {
  if (!cpu.protected_mode() || cpu.long_mode()) flags &= ~rflags::VM;
  cpu.rflags_rest = (flags & rflags::All & ~rflags::Arithmetic) | rflags::Fixed1;
  cpu.set_arithmetic_flags(flags);
}

// Real and virtual-8086 mode force the CPL whatever the field says. APM 2 15.5.1.
unsigned level(const Cpu& cpu, Vmcb from) {
  if (!cpu.protected_mode()) return 0;
  return cpu.v86() ? 3 : from.get<Field::Cpl>() & 3u;
}

}  // namespace

void load_world(Cpu& cpu, Vmcb from) {
  load_control_registers(cpu, from);
  load_flags(cpu, from.get<Field::Rflags>());
  place(cpu, Seg::ES, from_vmcb(cpu, from.segment<Field::EsSelector>()));
  place(cpu, Seg::CS, code_from_vmcb(cpu, from.segment<Field::CsSelector>()));
  place(cpu, Seg::SS, stack_from_vmcb(cpu, from.segment<Field::SsSelector>(), level(cpu, from)));
  place(cpu, Seg::DS, from_vmcb(cpu, from.segment<Field::DsSelector>()));
  cpu.gdtr.limit = static_cast<u16>(from.get<Field::GdtrLimit>());
  cpu.gdtr.base = canonicalized(cpu, from.get<Field::GdtrBase>());
  cpu.idtr.limit = static_cast<u16>(from.get<Field::IdtrLimit>());
  cpu.idtr.base = canonicalized(cpu, from.get<Field::IdtrBase>());
  cpu.rip = cpu.code64() ? from.get<Field::Rip>() : from.get<Field::Rip>() & 0xffffffff;
  cpu.r[RSP] = from.get<Field::Rsp>();
  cpu.r[RAX] = from.get<Field::Rax>();
}

SvmExtension::Saved SvmExtension::save() const {
  return {guest_page_.pa(), host_page_.pa(), nested_, host_interrupts_, pause_count_, last_pause_};
}

void SvmExtension::restore(Cpu& cpu, const Saved& saved) {
  guest_page_.map(cpu, saved.vmcb_pa);
  host_page_.map(cpu, saved.host_save_pa);
  nested_ = saved.nested;
  host_interrupts_ = saved.host_interrupts;
  pause_count_ = saved.pause_count;
  last_pause_ = saved.last_pause;
  shadow_ = {};
  cpu.virt = this;
}

}  // namespace softvt::svm
