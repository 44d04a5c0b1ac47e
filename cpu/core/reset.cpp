// Power-on, RESET and INIT. SDM 3A 10.1.1, table 10-1 "IA-32 and Intel 64 Processor States
// Following Power-up, Reset, or INIT".
#include "cpu/msr/reset.h"
#include "cpu/apic/local_apic.h"
#include "cpu/core/tlb.h"
#include "cpu/cpu.h"
#include "cpu/cpuid/model.h"

namespace softvt {
namespace {

constexpr u32 kDataRights = 0x93;
constexpr u32 kCodeRights = 0x9b;
constexpr u32 kLdtRights = 0x82;
constexpr u32 kTssRights = 0x8b;

// What RESET and INIT have in common.
void reset_execution_state(Cpu& cpu) {
  for (unsigned i = 0; i < 16; ++i) cpu.r[i] = 0;
  cpu.r[slot::kZero] = 0;
  if (cpu.model != nullptr) cpu.r[RDX] = cpu.model->signature.eax();
  cpu.cr0 = (cpu.cr0 & (cr0::CD | cr0::NW)) | cr0::ET;
  cpu.cr2 = cpu.cr3 = cpu.cr4 = 0;
  cpu.efer = 0;
  cpu.dr6 = 0xffff0ff0;
  cpu.dr7 = 0x400;
  for (u64& d : cpu.dr) d = 0;
  cpu.gdtr = cpu.idtr = DescriptorTable{};
  for (unsigned i = 0; i < 6; ++i) {
    cpu.set_segment(static_cast<Seg>(i),
                    {.selector = 0, .limit = 0xffff, .base = 0, .rights = kDataRights});
  }
  cpu.set_segment(Seg::CS,
                  {.selector = 0xf000, .limit = 0xffff, .base = 0xffff0000, .rights = kCodeRights});
  cpu.set_segment(Seg::LDTR, {.selector = 0, .limit = 0xffff, .base = 0, .rights = kLdtRights});
  cpu.set_segment(Seg::TR, {.selector = 0, .limit = 0xffff, .base = 0, .rights = kTssRights});
  cpu.rip = 0xfff0;
  cpu.set_flags(rflags::Fixed1);
  cpu.shadow = Shadow::None;
  cpu.nmi_blocked = false;
  cpu.nmi_pending = cpu.smi_pending = false;
  cpu.pending_dr6 = 0;
  cpu.fault_pending = cpu.second_stage_pending = false;
  cpu.guest_mode = false;
  cpu.gif = true;
  cpu.activity = Activity::Active;
}

}  // namespace

void Cpu::power_on_reset() {
  cr0 = 0x60000010;
  reset_execution_state(*this);
  cr0 |= cr0::CD | cr0::NW;
  xcr0 = 1;
  pkru = pkrs = 0;
  fpu = X87State{};
  for (Xmm& x : xmm) x = Xmm{};
  mxcsr = 0x1f80;
  reset_msrs(*this);
  tsc_offset = 0;
  vmx_root = false;
  init_pending = sipi_pending = false;
  if (apic != nullptr) apic->reset();
  update_mode();
  tlb_flush_everything();
  if (index != 0) activity = Activity::WaitForSipi;
}

void Cpu::init_reset() {
  init_pending = false;
  reset_execution_state(*this);
  if (apic != nullptr) apic->init_reset();
  update_mode();
  tlb_flush_everything();
  if (index != 0) activity = Activity::WaitForSipi;
}

}  // namespace softvt
