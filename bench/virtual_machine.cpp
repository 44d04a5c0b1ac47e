#include "bench/virtual_machine.h"

#include "cpu/bits.h"
#include "cpu/cpu.h"
#include "svm/extension.h"
#include "vmx/extension.h"

namespace softvt::bench {
namespace {

constexpr u64 kGuestStack = at::kGuestStackTop - 8;

// ---- VMX
// -----------------------------------------------------------------------------------------
using vmx::Control;
using Field = vmx::Field;

u32 bit(Control control) { return u32{1} << (static_cast<unsigned>(control) & 31); }

class VmcsWriter {
 public:
  explicit VmcsWriter(Cpu& cpu) : cpu_(cpu) {}

  void put(Field field, u64 value) { ok_ = cpu_.vmx->vmwrite(cpu_, field, value).ok() && ok_; }
  // The wanted bits and those that must be 1.
  void put_controls(Field field, vmx::ControlGroup group, u32 wanted) {
    put(field, wanted | cpu_.vmx->capabilities().limit(group).allowed0);
  }
  bool ok() const { return ok_; }

 private:
  Cpu& cpu_;
  bool ok_ = true;
};

// Fields of one segment register follow each other in steps of 2 from ES to TR.
void put_guest_segment(VmcsWriter& vmcs, unsigned number, const BootSegment& segment) {
  const auto field = [number](Field es) {
    return static_cast<Field>(static_cast<u32>(es) + 2 * number);
  };
  vmcs.put(field(Field::GUEST_ES_SELECTOR), segment.selector);
  vmcs.put(field(Field::GUEST_ES_LIMIT), segment.limit);
  vmcs.put(field(Field::GUEST_ES_AR_BYTES), segment.attributes);
  vmcs.put(field(Field::GUEST_ES_BASE), segment.base);
}

void put_guest_state(VmcsWriter& vmcs, const BootState& state, u64 rip) {
  const BootSegment* segments[] = {&state.es, &state.cs, &state.ss,   &state.ds,
                                   &state.fs, &state.gs, &state.ldtr, &state.tr};
  for (unsigned i = 0; i < std::size(segments); ++i) put_guest_segment(vmcs, i, *segments[i]);
  vmcs.put(Field::GUEST_CR0, state.cr0);
  vmcs.put(Field::GUEST_CR3, state.cr3);
  vmcs.put(Field::GUEST_CR4, state.cr4);
  vmcs.put(Field::GUEST_IA32_EFER, state.efer);
  vmcs.put(Field::GUEST_GDTR_BASE, state.gdt.base);
  vmcs.put(Field::GUEST_GDTR_LIMIT, state.gdt.limit);
  vmcs.put(Field::GUEST_IDTR_BASE, state.idt.base);
  vmcs.put(Field::GUEST_IDTR_LIMIT, state.idt.limit);
  vmcs.put(Field::GUEST_DR7, 0x400);
  vmcs.put(Field::GUEST_RFLAGS, rflags::Fixed1);
  vmcs.put(Field::GUEST_RSP, kGuestStack);
  vmcs.put(Field::GUEST_RIP, rip);
  vmcs.put(Field::VMCS_LINK_POINTER, ~u64{0});
}

void put_host_state(VmcsWriter& vmcs, const BootState& state) {
  vmcs.put(Field::HOST_CR0, state.cr0);
  vmcs.put(Field::HOST_CR3, state.cr3);
  vmcs.put(Field::HOST_CR4, state.cr4);
  vmcs.put(Field::HOST_IA32_EFER, state.efer);
  vmcs.put(Field::HOST_CS_SELECTOR, state.cs.selector);
  for (Field field : {Field::HOST_ES_SELECTOR, Field::HOST_SS_SELECTOR, Field::HOST_DS_SELECTOR,
                      Field::HOST_FS_SELECTOR, Field::HOST_GS_SELECTOR}) {
    vmcs.put(field, state.ds.selector);
  }
  vmcs.put(Field::HOST_TR_SELECTOR, state.tr.selector);
  vmcs.put(Field::HOST_TR_BASE, state.tr.base);
  vmcs.put(Field::HOST_GDTR_BASE, state.gdt.base);
  vmcs.put(Field::HOST_IDTR_BASE, state.idt.base);
  vmcs.put(Field::HOST_RSP, at::kStackTop);  // for guests that end instead of looping
  vmcs.put(Field::HOST_RIP, at::kHalt);
}

void put_vmx_controls(VmcsWriter& vmcs, Harness& harness, Paging paging) {
  const bool nested = paging == Paging::Nested;
  vmcs.put_controls(Field::PIN_BASED_VM_EXEC_CONTROL, vmx::ControlGroup::Pin, 0);
  vmcs.put_controls(Field::CPU_BASED_VM_EXEC_CONTROL, vmx::ControlGroup::Primary,
                    nested ? bit(Control::SecondaryControls) : 0);
  vmcs.put_controls(Field::VM_EXIT_CONTROLS, vmx::ControlGroup::Exit,
                    bit(Control::HostAddressSpaceSize) | bit(Control::SaveGuestEfer) |
                        bit(Control::LoadHostEfer));
  vmcs.put_controls(Field::VM_ENTRY_CONTROLS, vmx::ControlGroup::Entry,
                    bit(Control::Ia32eModeGuest) | bit(Control::LoadGuestEfer));
  if (!nested) return;
  vmcs.put_controls(Field::SECONDARY_VM_EXEC_CONTROL, vmx::ControlGroup::Secondary,
                    bit(Control::EnableEpt) | bit(Control::EnableVpid));
  vmcs.put(Field::VIRTUAL_PROCESSOR_ID, 1);
  constexpr u64 kReadWriteExecute = 7, kWriteBack = 6 << 3, kFourLevels = 3 << 3;
  map_one_to_one(harness.memory(), at::kSecondStage, at::kRam, kReadWriteExecute,
                 kReadWriteExecute | kWriteBack);
  vmcs.put(Field::EPT_POINTER, at::kSecondStage | kFourLevels | 6);
}

// ---- SVM
// -----------------------------------------------------------------------------------------
// Attributes of the VMCB: the access rights without the reserved bits between. APM 2 15.5.1.
u16 vmcb_attributes(const BootSegment& segment) {
  return static_cast<u16>((segment.attributes & 0xff) | (segment.attributes >> 4 & 0xf00));
}

class VmcbWriter {
 public:
  explicit VmcbWriter(Harness& harness) : harness_(harness) {}
  void put(unsigned offset, u64 value) { harness_.put64(at::kControlStructure + offset, value); }
  void put_segment(unsigned offset, const BootSegment& segment) {
    put(offset, segment.selector | u64{vmcb_attributes(segment)} << 16 | u64{segment.limit} << 32);
    put(offset + 8, segment.base);
  }

 private:
  Harness& harness_;
};

// Offsets of the VMCB: APM 2 appendix B.
void put_vmcb(VmcbWriter vmcb, const BootState& state, u64 rip) {
  vmcb.put(0x008, u64{1} << (18 + 32));  // intercept CPUID
  vmcb.put(0x010, 1 << 0 | 1 << 1);      // VMRUN, VMMCALL
  vmcb.put(0x058, 1);                    // ASID
  vmcb.put_segment(0x400, state.es);
  vmcb.put_segment(0x410, state.cs);
  vmcb.put_segment(0x420, state.ss);
  vmcb.put_segment(0x430, state.ds);
  vmcb.put(0x460, u64{state.gdt.limit} << 32);
  vmcb.put(0x468, state.gdt.base);
  vmcb.put(0x480, u64{state.idt.limit} << 32);
  vmcb.put(0x488, state.idt.base);
  vmcb.put(0x4d0, state.efer);
  vmcb.put(0x548, state.cr4);
  vmcb.put(0x550, state.cr3);
  vmcb.put(0x558, state.cr0);
  vmcb.put(0x560, 0x400);       // DR7
  vmcb.put(0x568, 0xffff0ff0);  // DR6
  vmcb.put(0x570, rflags::Fixed1);
  vmcb.put(0x578, rip);
  vmcb.put(0x5d8, kGuestStack);
  vmcb.put(0x668, 0x0007040600070406);  // PAT
}

}  // namespace

bool prepare_vmx(Harness& harness, Paging paging, u64 guest_rip) {
  Cpu& cpu = harness.cpu();
  if (cpu.vmx == nullptr) return false;
  harness.state().cr4 |= cr4::VMXE;
  cpu.msr.feature_control = 5;  // locked, VMXON outside of SMX
  vmx::VmxExtension& vmx = *cpu.vmx;
  const u32 revision = vmx::kRevisionId;
  harness.put(at::kVmxonRegion, &revision, sizeof revision);
  harness.put(at::kControlStructure, &revision, sizeof revision);
  if (!vmx.active() && !vmx.vmxon(cpu, at::kVmxonRegion).ok()) return false;
  if (!vmx.vmclear(cpu, at::kControlStructure).ok()) return false;
  if (!vmx.vmptrld(cpu, at::kControlStructure).ok()) return false;
  VmcsWriter vmcs(cpu);
  put_vmx_controls(vmcs, harness, paging);
  put_guest_state(vmcs, harness.state(), guest_rip);
  put_host_state(vmcs, harness.state());
  return vmcs.ok();
}

bool prepare_svm(Harness& harness, Paging paging, u64 guest_rip) {
  Cpu& cpu = harness.cpu();
  if (cpu.svm == nullptr) return false;
  harness.state().efer |= efer::SVME;
  cpu.msr.vm_hsave_pa = at::kHostSave;
  VmcbWriter vmcb(harness);
  put_vmcb(vmcb, harness.state(), guest_rip);
  if (paging == Paging::Nested) {
    constexpr u64 kPresentWritableUser = 7;
    map_one_to_one(harness.memory(), at::kSecondStage, at::kRam, kPresentWritableUser,
                   kPresentWritableUser);
    vmcb.put(0x090, 1);                 // NP_ENABLE
    vmcb.put(0x0b0, at::kSecondStage);  // N_CR3
  }
  return true;
}

}  // namespace softvt::bench
