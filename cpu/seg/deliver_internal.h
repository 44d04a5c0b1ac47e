// Parts of event delivery, one for each mode.
#pragma once
#include "cpu/cpu.h"
#include "cpu/seg/descriptor.h"

namespace softvt::delivery {

// An event with what the frame needs.
struct Delivery {
  const Event& event;
  u64 return_rip;
  u64 flags_image;  // RFLAGS as pushed
};

bool software(EventType type);
// INT n, INT3 and INTO check the gate's DPL and leave EXT clear; INT1 and all else does not.
bool checks_gate_level(EventType type);
// Error code that names the vector. SDM 3A 6.13: IDT flag, EXT is added later.
constexpr u32 idt_error(u8 vector) { return u32{vector} << 3 | 2; }
bool fail_vector(Cpu& cpu, Vector fault, u8 vector);

// RFLAGS bits that every handler starts with cleared; IF too for interrupt gates.
constexpr u64 kClearedByGate = rflags::TF | rflags::NT | rflags::RF | rflags::VM;

// Handler's code segment of an interrupt or trap gate, checked; `level` is the new CPL.
bool handler_code(Cpu& cpu, u16 selector, Descriptor& code, unsigned& level);

bool deliver_real(Cpu& cpu, const Delivery& d);       // IVT at IDTR
bool deliver_vme(Cpu& cpu, const Delivery& d);        // INT n redirected inside virtual-8086 mode
bool deliver_protected(Cpu& cpu, const Delivery& d);  // 8-byte gates
bool deliver_long(Cpu& cpu, const Delivery& d);       // 16-byte gates

}  // namespace softvt::delivery
