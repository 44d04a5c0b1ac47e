// Runs rows of cpu/simd/ on registers, without decoder and memory.
#pragma once
#include <gtest/gtest.h>

#include "cpu/cpu.h"
#include "cpu/simd/rows.h"

namespace softvt::simd_test {

class SimdTest : public ::testing::Test {
 protected:
  SimdTest() { cpu_.cr4 |= cr4::OSFXSR | cr4::OSXMMEXCPT; }

  // Row of the mnemonic for the unit; registers by number, general ones by offset.
  Step run(ZydisMnemonic mnemonic, Unit unit, Form form, u8 dst, u8 src, i64 imm = 0,
           u8 opcode = 0) {
    for (const InsnRow& row : simd_rows()) {
      if (row.mnemonic != mnemonic || row.unit != unit) continue;
      Insn in{};
      in.form = form;
      in.dst = dst;
      in.src = src;
      in.imm = imm;
      in.opcode = opcode;
      in.opsize = 4;
      in.prefixes = prefixes_;
      return row.fn(cpu_, in);
    }
    ADD_FAILURE() << "no row";
    return Step::Fault;
  }
  Step sse(ZydisMnemonic m, u8 dst, u8 src, i64 imm = 0, u8 opcode = 0) {
    return run(m, Unit::Sse, Form::RR, dst, src, imm, opcode);
  }
  Step mmx(ZydisMnemonic m, u8 dst, u8 src, i64 imm = 0, u8 opcode = 0) {
    return run(m, Unit::Mmx, Form::RR, dst, src, imm, opcode);
  }
  void set(u8 n, u64 low, u64 high = 0) {
    cpu_.xmm[n].q[0] = low;
    cpu_.xmm[n].q[1] = high;
  }
  void set_doubles(u8 n, double low, double high) {
    cpu_.xmm[n].df[0] = low;
    cpu_.xmm[n].df[1] = high;
  }
  u64 low(u8 n) const { return cpu_.xmm[n].q[0]; }
  u64 high(u8 n) const { return cpu_.xmm[n].q[1]; }

  Cpu cpu_;
  u8 prefixes_ = 0;
};

}  // namespace softvt::simd_test
