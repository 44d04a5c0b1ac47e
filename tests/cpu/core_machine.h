// A processor in 64-bit mode with identity mapping, for tests of the run loop and the block cache.
#pragma once
#include <initializer_list>
#include <vector>

#include "cpu/core/code_cache.h"
#include "cpu/core/tlb.h"
#include "cpu/cpu.h"
#include "cpu/cpuid/model.h"
#include "cpu/insn/rows.h"
#include "cpu/msr/msr_table.h"
#include "cpu/phys_memory.h"
#include "cpu/rows.h"
#include "cpu/seg/rows.h"
#include "cpu/sys/rows.h"
#include "cpu/timeline.h"

namespace softvt {

class SilentBus : public Bus {
 public:
  u32 port_in(u16, unsigned) override { return ~u32{0}; }
  void port_out(u16, u32 value, unsigned) override { out.push_back(value); }
  bool extint_pending() override { return false; }
  u8 extint_acknowledge() override { return 0; }
  std::vector<u32> out;
};

// Memory and decoded code that several processors may share.
struct CoreBoard {
  static constexpr u64 kRam = 16 << 20;
  static constexpr u64 kPml4 = 0x10000, kPdpt = 0x11000, kPd = 0x12000, kPt = 0x13000;
  static constexpr u64 kPresentWritableUser = 7;

  explicit CoreBoard(u32 insn_capacity = 64 * 1024) : code(mem, insn_capacity) {
    mem.add_ram(0, kRam);
    isa.add(integer_rows());
    isa.add(segment_rows());
    isa.add(system_rows());
    msrs.add(core_msr_rows());
    put(kPml4, kPdpt | kPresentWritableUser);
    put(kPdpt, kPd | kPresentWritableUser);
    put(kPd, kPt | kPresentWritableUser);  // the first 2 MiB by 4 KiB pages, the rest by large ones
    for (u64 i = 0; i < 512; ++i) put(kPt + i * 8, i << 12 | kPresentWritableUser);
    for (u64 i = 1; i < 8; ++i) put(kPd + i * 8, i << 21 | 0x80 | kPresentWritableUser);
  }
  void put(u64 pa, u64 value) { mem.write(pa, &value, 8); }
  u64 get(u64 pa) {
    u64 value = 0;
    mem.read(pa, &value, 8);
    return value;
  }

  PhysMemory mem;
  CodeCache code;
  InstructionSet isa;
  MsrTable msrs;
  Timeline timeline;
  SilentBus bus;
};

class CoreMachine {
 public:
  static constexpr u64 kCode = 0x100000;

  explicit CoreMachine(CoreBoard& shared) : board(shared), jumps_(kJumpEntries) {
    cpu.mem = &board.mem;
    cpu.code = &board.code;
    cpu.tlbs = &tlbs_;
    cpu.timeline = &board.timeline;
    cpu.bus = &board.bus;
    cpu.isa = &board.isa;
    cpu.msrs = &board.msrs;
    cpu.jumps = jumps_.data();
    board.code.attach({&tlbs_, &cpu});
    cpu.model = find_model("max-intel");
    apply_model(cpu, *cpu.model);
    cpu.power_on_reset();
    cpu.cr3 = CoreBoard::kPml4;
    cpu.cr4 = cr4::PAE;
    cpu.efer = efer::LME | efer::LMA;
    cpu.cr0 = cr0::PE | cr0::PG | cr0::WP | cr0::ET;
    cpu.set_segment(Seg::CS, {.selector = 8, .limit = ~u32{0}, .base = 0, .rights = 0xa09b});
    for (const Seg s : {Seg::SS, Seg::DS, Seg::ES}) {
      cpu.set_segment(s, {.selector = 16, .limit = ~u32{0}, .base = 0, .rights = 0xc093});
    }
    cpu.update_mode();
    cpu.rip = kCode;
    cpu.r[RSP] = 0x200000;
  }

  // Writes bytes as a loader would, not as the guest.
  u64 emit(u64 pa, std::initializer_list<u8> bytes) {
    board.mem.write(pa, bytes.begin(), bytes.size());
    return pa + bytes.size();
  }
  // Runs until HLT, at most `limit` instructions.
  bool run_to_halt(i64 limit = 10'000'000) {
    cpu.activity = Activity::Active;
    return cpu.run(limit) == RunStop::Halted;
  }

  CoreBoard& board;
  Cpu cpu;

 private:
  TlbPool tlbs_;
  std::vector<JumpEntry> jumps_;
};

}  // namespace softvt
