// The registers with which a guest starts. The machine turns them into a vcpu's registers.
#pragma once
#include "cpu/types.h"

namespace softvt {

enum class BootMode {
  Real,         // 16-bit, CR0.PE clear
  Protected32,  // flat 4 GiB segments, paging off
  Long64,       // 64-bit, paging on, first 4 GiB mapped to themselves
};

// A segment register with its hidden part.
struct BootSegment {
  u16 selector = 0;
  u64 base = 0;
  u32 limit = 0;  // in bytes, granularity applied
  // Access rights as in SDM 3C 25.4.1 "Guest Register State": type 3:0, S 4, DPL 6:5, P 7, AVL 12,
  // L 13, D/B 14, G 15.
  u32 attributes = 0;

  bool operator==(const BootSegment&) const = default;
};

struct BootTable {
  u64 base = 0;
  u16 limit = 0;
};

struct BootState {
  BootMode mode = BootMode::Real;
  u64 rip = 0;
  u64 rsp = 0;
  u64 rbp = 0;
  u64 rax = 0;
  u64 rbx = 0;
  u64 rcx = 0;
  u64 rdx = 0;
  u64 rsi = 0;
  u64 rdi = 0;
  u64 rflags = 2;  // bit 1 is always set; interrupts are off

  u64 cr0 = 0;
  u64 cr3 = 0;
  u64 cr4 = 0;
  u64 efer = 0;

  BootSegment cs, ds, es, fs, gs, ss, tr, ldtr;
  BootTable gdt;
  BootTable idt;
};

// Selectors of the table that `boot_gdt_entry` describes. The Linux boot protocol asks for code at
// 0x10 and data at 0x18; every other format leaves the choice to the loader.
constexpr u16 kBootCodeSelector = 0x10;
constexpr u16 kBootDataSelector = 0x18;
constexpr unsigned kBootGdtEntries = 4;

// Mode, control registers and segments; the caller adds rip, rsp, the GDT and what the format
// needs.
BootState real_mode_state();
BootState protected32_state();
BootState long64_state(u64 cr3);

// The 8-byte descriptor that loads `segment` (SDM 3A 3.4.5 "Segment Descriptors").
u64 segment_descriptor(const BootSegment& segment);

}  // namespace softvt
