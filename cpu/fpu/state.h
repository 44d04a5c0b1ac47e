// The x87 register stack and status word: what every x87 instruction does around its arithmetic.
// SDM 1 8.1 "x87 FPU Execution Environment", 8.5 "x87 FPU Floating-Point Exception Conditions".
#pragma once
#include <cstring>

#include "cpu/cpu.h"
#include "cpu/fpu/encoding.h"

namespace softvt::fpu {

// Status word. SDM 1 8.1.3, figure 8-4.
namespace fsw {
constexpr u16 IE = 1 << 0, DE = 1 << 1, ZE = 1 << 2, OE = 1 << 3, UE = 1 << 4, PE = 1 << 5,
              SF = 1 << 6, ES = 1 << 7, C0 = 1 << 8, C1 = 1 << 9, C2 = 1 << 10, Top = 7 << 11,
              C3 = 1 << 14, B = 1 << 15;
constexpr unsigned kTopShift = 11;
constexpr u16 Exceptions = IE | DE | ZE | OE | UE | PE;
constexpr u16 Codes = C0 | C1 | C2 | C3;
// Found before anything is computed: unmasked, they stop the instruction. SDM 1 8.6.
constexpr u16 PreComputation = IE | DE | ZE;
// Unmasked, these too keep a result from memory. SDM 1 8.5.4, 8.5.5.
constexpr u16 StopStore = PreComputation | OE | UE;
}  // namespace fsw

// Control word. SDM 1 8.1.5, figure 8-6. Bit 6 reads as one, bits 7 and 13 to 15 as zero.
constexpr u16 kControlWritable = 0x1f3f, kControlFixed = 0x0040;
constexpr u16 kControlInit = 0x037f;
constexpr u16 kControlPrecisionRounding = 0x0f00;

// The QNaN floating-point indefinite. SDM 1 4.8.3.7, table 4-3.
constexpr X87Reg kIndefinite{0xc000000000000000, 0xffff};

inline bool is_nan(const X87Reg& v) {
  return (v.sign_exponent & 0x7fff) == 0x7fff && (v.significand << 1) != 0;
}

inline unsigned top(const X87State& s) { return (s.fsw >> fsw::kTopShift) & 7; }
inline void set_top(X87State& s, unsigned value) {
  s.fsw = static_cast<u16>((s.fsw & ~fsw::Top) | ((value & 7) << fsw::kTopShift));
}
inline unsigned physical(const X87State& s, unsigned i) { return (top(s) + i) & 7; }
inline bool empty(const X87State& s, unsigned i) {
  return (s.tag_valid & (1u << physical(s, i))) == 0;
}
inline const X87Reg& st(const X87State& s, unsigned i) { return s.st[physical(s, i)]; }
inline void put_st(X87State& s, unsigned i, const X87Reg& value) {
  const unsigned p = physical(s, i);
  s.st[p] = value;
  s.tag_valid = static_cast<u8>(s.tag_valid | (1u << p));
}
inline void free_st(X87State& s, unsigned i) {
  s.tag_valid = static_cast<u8>(s.tag_valid & ~(1u << physical(s, i)));
}
inline void pop(X87State& s) {
  free_st(s, 0);
  set_top(s, top(s) + 1);
}
inline void pop(X87State& s, unsigned count) {
  while (count-- != 0) pop(s);
}
inline void push(X87State& s, const X87Reg& value) {
  set_top(s, top(s) - 1);
  put_st(s, 0, value);
}

// Registers in memory are 10 bytes: significand, then sign and exponent. SDM 1 4.8.
constexpr unsigned kExtendedSize = 10;
inline X87Reg register_from(const u8* image) {
  X87Reg value;
  std::memcpy(&value.significand, image, sizeof(value.significand));
  std::memcpy(&value.sign_exponent, image + 8, sizeof(value.sign_exponent));
  return value;
}
inline void register_to(const X87Reg& value, u8* image) {
  std::memcpy(image, &value.significand, sizeof(value.significand));
  std::memcpy(image + 8, &value.sign_exponent, sizeof(value.sign_exponent));
}

inline void set_control(X87State& s, u16 value) {
  s.fcw = static_cast<u16>((value & kControlWritable) | kControlFixed);
}
// ES and B follow the flags and masks at all times; what an image holds in them does not count.
// SDM 1 8.1.3.3 "x87 FPU Floating-Point Exception Flags".
inline void update_summary(X87State& s) {
  const bool pending = (s.fsw & ~s.fcw & fsw::Exceptions) != 0;
  s.fsw = static_cast<u16>(pending ? s.fsw | fsw::ES | fsw::B : s.fsw & ~(fsw::ES | fsw::B));
}
inline void set_codes(X87State& s, u16 mask, u16 value) {
  s.fsw = static_cast<u16>((s.fsw & ~mask) | (value & mask));
}

// FNINIT. SDM 2A "FINIT/FNINIT"; SDM 3A table 9-1.
void initialise(X87State& s);

// Stack faults: set IE and SF, C1 tells which. True: #IS is masked, give the masked response.
// SDM 1 8.5.1.1 "Stack Overflow or Underflow Exception (#IS)".
// An instruction that reports a reduced operand in C2 clears it.
bool stack_underflow(X87State& s, u16 codes = fsw::C1);
bool stack_overflow(X87State& s, u16 codes = fsw::C1);

// Does what the host reported stop the instruction, given the guest's masks?
inline bool stops(const X87State& s, u16 host, u16 kinds) { return (host & ~s.fcw & kinds) != 0; }

// Takes over exception flags and the condition codes in `codes` from the host's status word.
// False: an unmasked exception of the kinds `stopping`; the instruction leaves operands and stack
// alone, and of its codes C1 and C2 read 0.
bool settle(X87State& s, u16 host, u16 codes, u16 stopping = fsw::PreComputation);

// The start of every waiting instruction: true if no unmasked exception is pending, else #MF.
// SDM 1 8.7 "Handling x87 FPU Exceptions in Software". With CR0.NE = 0 hardware would signal FERR#
// to the interrupt controller; that line is not wired, so such exceptions stay pending unnoticed.
bool begin(Cpu& cpu);

// Instruction and data pointers and the opcode, for non-control instructions. SDM 1 8.1.8, 8.1.9.
void record(Cpu& cpu, const Insn& in);

}  // namespace softvt::fpu
