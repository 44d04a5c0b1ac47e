// MXCSR, and CRC32, which has general registers as operands. SDM 1 10.2.3, 12.12.
#include "cpu/simd/float_env.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

Step ldmxcsr(Cpu& cpu, const Insn& in) {
  u32 value;
  if (!load_operand(cpu, in, value)) return Step::Fault;
  if (value & ~mxcsr::Writable) return cpu.raise_gp(0);
  cpu.mxcsr = value;
  return Step::Next;
}

Step stmxcsr(Cpu& cpu, const Insn& in) {
  return store_operand(cpu, in, cpu.mxcsr) ? Step::Next : Step::Fault;
}

void add_to_crc(u32& crc, u8 v) { asm("crc32b %1, %0" : "+r"(crc) : "q"(v)); }
void add_to_crc(u32& crc, u16 v) { asm("crc32w %1, %0" : "+r"(crc) : "r"(v)); }
void add_to_crc(u32& crc, u32 v) { asm("crc32l %1, %0" : "+r"(crc) : "r"(v)); }
void add_to_crc(u32& crc, u64 v) {
  u64 full = crc;
  asm("crc32q %1, %0" : "+r"(full) : "r"(v));
  crc = static_cast<u32>(full);
}

// The destination is cleared above bit 31 even with REX.W.
template <class T>
Step crc32_sized(Cpu& cpu, const Insn& in) {
  T value;
  if (!fetch_gpr(cpu, in, value)) return Step::Fault;
  u32 crc = get_reg<u32>(cpu, in.dst);
  add_to_crc(crc, value);
  put_reg<u32>(cpu, in.dst, crc);
  return Step::Next;
}

Step crc32(Cpu& cpu, const Insn& in) {
  constexpr u8 kByteSource = 0xf0;
  if (in.opcode == kByteSource) return crc32_sized<u8>(cpu, in);
  switch (in.opsize) {
    case 2:
      return crc32_sized<u16>(cpu, in);
    case 8:
      return crc32_sized<u64>(cpu, in);
    default:
      return crc32_sized<u32>(cpu, in);
  }
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_LDMXCSR, ldmxcsr, Feature::Sse, Unit::Sse},
    {ZYDIS_MNEMONIC_STMXCSR, stmxcsr, Feature::Sse, Unit::Sse},
    {ZYDIS_MNEMONIC_CRC32, crc32, Feature::Sse42, Unit::Integer},
};

}  // namespace

std::span<const InsnRow> control_rows() { return kRows; }

}  // namespace softvt::simd
