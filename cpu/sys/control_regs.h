// Writes of the control registers and EFER with the checks and effects of MOV CRn and WRMSR, for
// instructions, and for VMX and SVM where they load state by the same rules.
// SDM 3A 2.5 "Control Registers", SDM 2B "MOV-Move to/from Control Registers", APM 2 3.1.
#pragma once
#include "cpu/cpu.h"

namespace softvt {

// Each: true = written, mode and TLB brought up to date. False = a fault is posted (#GP(0), or the
// second-stage exit of a PDPTE load) and nothing has changed.
bool set_cr0(Cpu& cpu, u64 value);
bool load_cr3(Cpu& cpu, u64 value);  // bit 63 is "no flush" when CR4.PCIDE is set
bool set_cr4(Cpu& cpu, u64 value);
bool set_efer(Cpu& cpu, u64 value);

// Is the value one that MOV CRn accepts now? Without effects.
bool cr0_acceptable(const Cpu& cpu, u64 value);
bool cr3_acceptable(const Cpu& cpu, u64 value);
bool cr4_acceptable(const Cpu& cpu, u64 value);
bool efer_acceptable(const Cpu& cpu, u64 value);

// Bits that a model's features allow to be set; the checks of VM entry use them too.
u64 cr4_supported(const Cpu& cpu);
u64 efer_supported(const Cpu& cpu);
constexpr u64 kCr0Defined = cr0::PE | cr0::MP | cr0::EM | cr0::TS | cr0::ET | cr0::NE | cr0::WP |
                            cr0::AM | cr0::NW | cr0::CD | cr0::PG;

// PKRU and IA32_PKRS; rights in the TLB depend on them.
void set_pkru(Cpu& cpu, u32 value);
void set_pkrs(Cpu& cpu, u32 value);

// CR0 and CR4 as the guest of VMX sees them, and what of a value reaches the register: bits of the
// guest/host mask belong to the host. SDM 3C 25.6.6 "Guest/Host Masks and Read Shadows for CR0 and
// CR4". Without VMX non-root operation: the register, the value.
inline u64 cr0_seen(const Cpu& cpu) {
  const u64 mask = cpu.guest_mode ? cpu.guest_cr0.mask : 0;
  return (cpu.cr0 & ~mask) | (cpu.guest_cr0.shadow & mask);
}
inline u64 cr4_seen(const Cpu& cpu) {
  const u64 mask = cpu.guest_mode ? cpu.guest_cr4.mask : 0;
  return (cpu.cr4 & ~mask) | (cpu.guest_cr4.shadow & mask);
}
inline u64 cr0_reaching(const Cpu& cpu, u64 value) {
  const u64 mask = cpu.guest_mode ? cpu.guest_cr0.mask : 0;
  return (value & ~mask) | (cpu.cr0 & mask);
}
inline u64 cr4_reaching(const Cpu& cpu, u64 value) {
  const u64 mask = cpu.guest_mode ? cpu.guest_cr4.mask : 0;
  return (value & ~mask) | (cpu.cr4 & mask);
}

}  // namespace softvt
