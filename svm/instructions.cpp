#include "svm/instructions.h"

#include "cpu/core/tlb.h"
#include "cpu/phys_memory.h"
#include "cpu/sys/intercepted.h"
#include "svm/state.h"

namespace softvt::svm {
namespace {

// Checks that all of them but VMMCALL share. APM 2 15.4 "Enabling SVM", and their
// pages in volume 3.
bool permitted(Cpu& cpu) {
  if (cpu.svm == nullptr || (cpu.efer & efer::SVME) == 0 || cpu.real_or_v86()) {
    cpu.raise_ud();
    return false;
  }
  if (cpu.cpl() != 0) {
    cpu.raise_gp(0);
    return false;
  }
  return true;
}

// rAX with the address size of the instruction.
u64 operand(const Cpu& cpu, const Insn& in) {
  return get_reg_sized(cpu, RAX * 8, in.addrsize == 0 ? 8 : in.addrsize);
}

VmrunResult enter(Cpu& cpu, u64 vmcb_pa, u64 return_rip) {
  if (!address_acceptable(cpu, vmcb_pa)) return VmrunResult::Fault;
  switch (cpu.svm->enter(cpu, vmcb_pa, return_rip)) {
    case EntryResult::Entered:
      return VmrunResult::Entered;
    case EntryResult::Exited:
      return VmrunResult::Exited;
    case EntryResult::Invalid:
      return VmrunResult::Invalid;
  }
  return VmrunResult::Invalid;
}

Step vmrun_instruction(Cpu& cpu, const Insn& in) {
  if (!permitted(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::Vmrun)) return intercepted_step(cpu);
  // A guest that may run VMRUN itself cannot exist: the entry checks demand the intercept.
  const VmrunResult result = enter(cpu, operand(cpu, in), cpu.next_rip);
  return result == VmrunResult::Fault ? Step::Fault : Step::VmExit;
}

Step vmload_instruction(Cpu& cpu, const Insn& in) {
  if (!permitted(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::Vmload)) return intercepted_step(cpu);
  return vmload(cpu, operand(cpu, in)) ? Step::EndBlock : Step::Fault;
}

Step vmsave_instruction(Cpu& cpu, const Insn& in) {
  if (!permitted(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::Vmsave)) return intercepted_step(cpu);
  return vmsave(cpu, operand(cpu, in)) ? Step::EndBlock : Step::Fault;
}

Step stgi_instruction(Cpu& cpu, const Insn& in) {
  if (!permitted(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::Stgi)) return intercepted_step(cpu);
  stgi(cpu);
  return Step::EndBlock;
}

Step clgi_instruction(Cpu& cpu, const Insn& in) {
  if (!permitted(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::Clgi)) return intercepted_step(cpu);
  clgi(cpu);
  return Step::EndBlock;
}

Step invlpga_instruction(Cpu& cpu, const Insn& in) {
  if (!permitted(cpu)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::Invlpga)) return intercepted_step(cpu);
  invlpga(cpu, operand(cpu, in), get_reg<u32>(cpu, RCX * 8));
  return Step::EndBlock;
}

// Valid at any CPL, but only where a hypervisor catches it.
Step vmmcall_instruction(Cpu& cpu, const Insn& in) {
  if (cpu.intercepted(in, Intercept::Vmmcall)) return intercepted_step(cpu);
  return cpu.raise_ud();
}

// No model offers CPUID 8000_0001H ECX[12] (SKINIT).
Step skinit_instruction(Cpu& cpu, const Insn&) { return cpu.raise_ud(); }

constexpr InsnRow row_of(ZydisMnemonic mnemonic, ColdFn fn) {
  return {.mnemonic = mnemonic, .fn = fn, .feature = Feature::Svm, .ends_block = true};
}

constexpr InsnRow kRows[] = {
    row_of(ZYDIS_MNEMONIC_VMRUN, vmrun_instruction),
    row_of(ZYDIS_MNEMONIC_VMLOAD, vmload_instruction),
    row_of(ZYDIS_MNEMONIC_VMSAVE, vmsave_instruction),
    row_of(ZYDIS_MNEMONIC_VMMCALL, vmmcall_instruction),
    row_of(ZYDIS_MNEMONIC_STGI, stgi_instruction),
    row_of(ZYDIS_MNEMONIC_CLGI, clgi_instruction),
    row_of(ZYDIS_MNEMONIC_SKINIT, skinit_instruction),
    row_of(ZYDIS_MNEMONIC_INVLPGA, invlpga_instruction),
};

}  // namespace

std::span<const InsnRow> svm_rows() { return kRows; }

bool address_acceptable(Cpu& cpu, u64 vmcb_pa) {
  if ((vmcb_pa & kPageMask) == 0 && (vmcb_pa >> cpu.phys_bits) == 0) return true;
  cpu.raise_gp(0);
  return false;
}

VmrunResult vmrun(Cpu& cpu, u64 vmcb_pa) { return enter(cpu, vmcb_pa, cpu.rip); }

// APM 3 "VMLOAD": FS, GS, TR, LDTR with their hidden parts, KernelGsBase, and the MSRs of SYSCALL
// and SYSENTER.
bool vmload(Cpu& cpu, u64 vmcb_pa) {
  if (!address_acceptable(cpu, vmcb_pa)) return false;
  MappedPage page;
  page.map(cpu, vmcb_pa);
  const Vmcb v = page.vmcb();
  place(cpu, Seg::FS, from_vmcb(cpu, v.segment<Field::FsSelector>()));
  place(cpu, Seg::GS, from_vmcb(cpu, v.segment<Field::GsSelector>()));
  place(cpu, Seg::LDTR, from_vmcb(cpu, v.segment<Field::LdtrSelector>()));
  Segment tr = from_vmcb(cpu, v.segment<Field::TrSelector>());
  tr.rights = (tr.rights & ~seg_rights::Unusable) | seg_rights::P;  // never null
  place(cpu, Seg::TR, tr);
  cpu.msr.star = v.get<Field::Star>();
  cpu.msr.lstar = canonicalized(cpu, v.get<Field::Lstar>());
  cpu.msr.cstar = canonicalized(cpu, v.get<Field::Cstar>());
  cpu.msr.sfmask = v.get<Field::Sfmask>();
  cpu.msr.kernel_gs_base = canonicalized(cpu, v.get<Field::KernelGsBase>());
  cpu.msr.sysenter_cs = v.get<Field::SysenterCs>();
  cpu.msr.sysenter_esp = canonicalized(cpu, v.get<Field::SysenterEsp>());
  cpu.msr.sysenter_eip = canonicalized(cpu, v.get<Field::SysenterEip>());
  cpu.update_mode();
  return true;
}

bool vmsave(Cpu& cpu, u64 vmcb_pa) {
  if (!address_acceptable(cpu, vmcb_pa)) return false;
  MappedPage page;
  page.map(cpu, vmcb_pa);
  const Vmcb v = page.vmcb();
  v.put_segment<Field::FsSelector>(to_vmcb(segment(cpu, Seg::FS)));
  v.put_segment<Field::GsSelector>(to_vmcb(segment(cpu, Seg::GS)));
  v.put_segment<Field::LdtrSelector>(to_vmcb(segment(cpu, Seg::LDTR)));
  v.put_segment<Field::TrSelector>(to_vmcb(segment(cpu, Seg::TR)));
  v.put<Field::Star>(cpu.msr.star);
  v.put<Field::Lstar>(cpu.msr.lstar);
  v.put<Field::Cstar>(cpu.msr.cstar);
  v.put<Field::Sfmask>(cpu.msr.sfmask);
  v.put<Field::KernelGsBase>(cpu.msr.kernel_gs_base);
  v.put<Field::SysenterCs>(cpu.msr.sysenter_cs);
  v.put<Field::SysenterEsp>(cpu.msr.sysenter_esp);
  v.put<Field::SysenterEip>(cpu.msr.sysenter_eip);
  page.written(cpu);
  return true;
}

// APM 2 15.17 "Global Interrupt Flag, STGI and CLGI Instructions".
void stgi(Cpu& cpu) {
  cpu.gif = true;
  cpu.request_exit();
}

void clgi(Cpu& cpu) { cpu.gif = false; }

// APM 2 15.16.2 "Invalidate Page, Alternate ASID". Dropping more than the page is allowed.
void invlpga(Cpu& cpu, u64 linear, u32 asid) {
  if (cpu.tlbs == nullptr) return;
  if (asid == cpu.asid_tag)
    cpu.tlb_flush_page(linear);
  else
    cpu.tlbs->flush_asid(cpu, asid, false);
}

}  // namespace softvt::svm
