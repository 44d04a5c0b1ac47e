#include "vmx/insn_info.h"

namespace softvt::vmx {
namespace {

constexpr unsigned kNoRegister = 16;

unsigned register_of(u8 offset) { return offset / 8u < kNoRegister ? offset / 8u : kNoRegister; }
u32 address_size(const Insn& in) {
  return (in.addrsize == 8 ? 2u : in.addrsize == 4 ? 1u : 0u) << 7;
}
u32 operand_size(const Insn& in) { return (in.opsize == 8 ? 2u : in.opsize == 4 ? 1u : 0u) << 11; }
u32 segment(const Insn& in) { return (in.seg & 7u) << 15; }

// Bits 1:0, 9:7, 17:15, 27:18.
u32 address(const Insn& in) {
  u32 info = (in.scale & 3u) | address_size(in) | segment(in);
  const unsigned index = register_of(in.idx), base = register_of(in.base);
  info |= index == kNoRegister ? u32{1} << 22 : index << 18;
  info |= base == kNoRegister ? u32{1} << 27 : base << 23;
  return info;
}

constexpr u32 kRegisterOperand = 1 << 10;

}  // namespace

u64 displacement(const Cpu& cpu, const Insn& in) {
  const u64 disp = static_cast<u64>(i64{in.disp});
  if (in.flags & insn_flag::kMoffs) return static_cast<u64>(in.imm);
  if (in.flags & insn_flag::kRipRaw) return disp + cpu.next_rip;
  if (in.base == slot::kCodePage * 8) return disp + cpu.r[slot::kCodePage];
  return in.addrsize == 8 ? disp : static_cast<u32>(disp);
}

u32 ins_outs_info(const Insn& in, bool outs) { return address_size(in) | (outs ? segment(in) : 0); }
u32 memory_info(const Insn& in) { return address(in); }
u32 memory_and_register_info(const Insn& in, u8 reg2) {
  return address(in) | (reg2 / 8u & 15u) << 28;
}
u32 register_or_memory_info(const Insn& in, u8 operand, u8 reg2) {
  const u32 second = (reg2 / 8u & 15u) << 28;
  if (in.form == Form::RR) return (operand / 8u & 15u) << 3 | kRegisterOperand | second;
  return address(in) | second;
}
u32 table_info(const Insn& in, unsigned identity) {
  const u32 wide = in.opsize == 2 ? 0 : 1u << 11;
  return address(in) | wide | identity << 28;
}
u32 selector_info(const Insn& in, unsigned identity) {
  if (in.form == Form::R) return (in.dst / 8u & 15u) << 3 | kRegisterOperand | identity << 28;
  return address(in) | identity << 28;
}
u32 random_info(const Insn& in) { return (in.dst / 8u & 15u) << 3 | operand_size(in); }

}  // namespace softvt::vmx
