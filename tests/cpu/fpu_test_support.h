// A processor in flat 32-bit protected mode with a little RAM, and x87 instructions by their bytes.
#pragma once
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/fpu/rows.h"
#include "cpu/fpu/state.h"
#include "cpu/phys_memory.h"
#include "tests/cpu/fpu_test_machine.h"

namespace softvt::test {

class FpuTest : public ::testing::Test, public FpuMachine {
 protected:
  FpuTest() {
    cpu.fpu = X87State{};
    fpu::initialise(cpu.fpu);
  }

  static const InsnRow* row_of(ZydisMnemonic mnemonic) {
    for (const InsnRow& row : fpu_rows()) {
      if (row.mnemonic == mnemonic) return &row;
    }
    return nullptr;
  }

  // An instruction of two bytes; a memory operand is at kOperand.
  static Insn x87(u8 opcode, u8 modrm) {
    Insn in{};
    in.opcode = opcode;
    in.imm = modrm;
    return memory_operand(in);
  }
  static Insn memory_operand(Insn in = {}) {
    in.base = in.idx = slot::kZero * 8;
    in.disp = static_cast<i32>(kOperand);
    in.seg = static_cast<u8>(Seg::DS);
    in.addrsize = 4;
    in.opsize = 4;
    in.len = 2;
    return in;
  }

  // Decodes and executes a two-byte x87 instruction. Encodings that do not exist give Stop.
  Step execute(u8 opcode, u8 modrm) {
    const u8 bytes[16] = {opcode, modrm};
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisDecodedInstruction decoded;
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeInstruction(&decoder, nullptr, bytes, sizeof(bytes), &decoded))) {
      return Step::Stop;
    }
    const InsnRow* row = row_of(decoded.mnemonic);
    if (row == nullptr) return Step::Stop;
    return row->fn(cpu, x87(opcode, modrm));
  }
  // Any other instruction of the rows, on the memory operand.
  Step execute(ZydisMnemonic mnemonic, Insn in = memory_operand()) {
    const InsnRow* row = row_of(mnemonic);
    return row == nullptr ? Step::Stop : row->fn(cpu, in);
  }

  void put(const void* bytes, u64 size, u64 at = kOperand) { cpu.mem->write(at, bytes, size); }
  template <class T>
  T get(u64 at = kOperand) const {
    T value;
    cpu.mem->read(at, &value, sizeof(T));
    return value;
  }
  std::vector<u8> bytes(u64 at, std::size_t size) const {
    std::vector<u8> out(size);
    cpu.mem->read(at, out.data(), size);
    return out;
  }

  static X87Reg reg(long double value) {
    u8 image[16] = {};
    std::memcpy(image, &value, fpu::kExtendedSize);
    return fpu::register_from(image);
  }
  static long double value(const X87Reg& v) {
    long double out = 0;
    u8 image[sizeof(out)] = {};
    fpu::register_to(v, image);
    std::memcpy(&out, image, sizeof(out));
    return out;
  }
  void push(long double v) { fpu::push(cpu.fpu, reg(v)); }
  long double st(unsigned i) const { return value(fpu::st(cpu.fpu, i)); }
  u16 status() const { return cpu.fpu.fsw; }
  Vector fault() const { return static_cast<Vector>(cpu.fault.vector); }
};

}  // namespace softvt::test
