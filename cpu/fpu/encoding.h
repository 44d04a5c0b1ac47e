// The two bytes that name an x87 instruction: D8..DF and ModRM. The binder hands them over in
// Insn::opcode and the low byte of Insn::imm. SDM 2D appendix B.17, tables.
#pragma once
#include "cpu/insn.h"
#include "cpu/types.h"

namespace softvt::fpu {

struct Encoding {
  u8 opcode;
  u8 modrm;

  explicit Encoding(const Insn& in) : opcode(in.opcode), modrm(static_cast<u8>(in.imm)) {}

  bool memory() const { return modrm < 0xc0; }
  unsigned reg() const { return (modrm >> 3) & 7; }  // opcode extension
  unsigned rm() const { return modrm & 7; }          // i of ST(i) in register forms
  unsigned row() const { return opcode & 7; }        // D8..DF as 0..7
  // SDM 1 8.1.9 "Last Instruction Opcode": the low 3 bits of the first byte, then the second byte.
  u16 fop() const { return static_cast<u16>(((opcode & 7) << 8) | modrm); }
};

}  // namespace softvt::fpu
