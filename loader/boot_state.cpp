#include "loader/boot_state.h"

namespace softvt {
namespace {

constexpr u64 kCr0Pe = u64{1} << 0;
constexpr u64 kCr0Et = u64{1} << 4;
constexpr u64 kCr0Pg = u64{1} << 31;
constexpr u64 kCr4Pae = u64{1} << 5;
constexpr u64 kEferLme = u64{1} << 8;
constexpr u64 kEferLma = u64{1} << 10;

// SDM 3A 10.1.1 "Processor State After Reset", table "IA-32 and Intel 64 Processor States".
constexpr BootSegment kRealCode{0, 0, 0xffff, 0x009b};
constexpr BootSegment kRealData{0, 0, 0xffff, 0x0093};
constexpr BootSegment kResetTr{0, 0, 0xffff, 0x008b};
constexpr BootSegment kResetLdtr{0, 0, 0xffff, 0x0082};

constexpr BootSegment kFlatCode32{kBootCodeSelector, 0, 0xffffffff, 0xc09b};
constexpr BootSegment kFlatCode64{kBootCodeSelector, 0, 0xffffffff, 0xa09b};
constexpr BootSegment kFlatData{kBootDataSelector, 0, 0xffffffff, 0xc093};

BootState make_state(BootMode mode, const BootSegment& code, const BootSegment& data) {
  BootState state;
  state.mode = mode;
  state.cs = code;
  state.ds = state.es = state.fs = state.gs = state.ss = data;
  state.tr = kResetTr;
  state.ldtr = kResetLdtr;
  state.cr0 = kCr0Et;
  return state;
}

}  // namespace

BootState real_mode_state() {
  BootState state = make_state(BootMode::Real, kRealCode, kRealData);
  state.gdt.limit = 0xffff;
  state.idt.limit = 0x3ff;
  return state;
}

BootState protected32_state() {
  BootState state = make_state(BootMode::Protected32, kFlatCode32, kFlatData);
  state.cr0 |= kCr0Pe;
  return state;
}

BootState long64_state(u64 cr3) {
  BootState state = make_state(BootMode::Long64, kFlatCode64, kFlatData);
  state.cr0 |= kCr0Pe | kCr0Pg;
  state.cr3 = cr3;
  state.cr4 = kCr4Pae;
  state.efer = kEferLme | kEferLma;
  return state;
}

u64 segment_descriptor(const BootSegment& segment) {
  constexpr u32 kGranularity = u32{1} << 15;
  const u64 limit = segment.attributes & kGranularity ? segment.limit >> 12 : segment.limit;
  const u64 base = segment.base;
  const u64 attributes = segment.attributes;
  return (limit & 0xffff) | (base & 0xffffff) << 16 | (attributes & 0xff) << 40 |
         (limit >> 16 & 0xf) << 48 | (attributes >> 12 & 0xf) << 52 | (base >> 24 & 0xff) << 56;
}

}  // namespace softvt
