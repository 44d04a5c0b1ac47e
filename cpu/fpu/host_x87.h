// The host's x87 as calculator. The guest's instruction runs as the same two bytes on the host,
// under the guest's precision, rounding, and overflow and underflow masks, on operands that come as
// 80-bit images. Every other exception is masked, and the flags are read and cleared behind the
// instruction, so the host never sees an exception. Unmasked overflow and underflow are left to the
// host because only then it delivers the result scaled by 2^24576 (SDM 1 8.5.4, 8.5.5).
#pragma once
#include "cpu/cpu.h"
#include "cpu/fpu/state.h"

namespace softvt::fpu {

struct HostResult {
  X87Reg value;   // the result; of two results the one that ends in ST(1)
  X87Reg second;  // of two results the one that was pushed
  u16 fsw = 0;
};

// The control word to compute with.
inline u16 host_control(const X87State& s) {
  const u16 masks = fsw::IE | fsw::DE | fsw::ZE | fsw::PE;
  return static_cast<u16>((s.fcw & (kControlPrecisionRounding | fsw::OE | fsw::UE)) | masks | 0x40);
}

#define SOFTVT_X87_ENTER "fnstcw %[saved]\n\tfnclex\n\tfldcw %[control]\n\t"
#define SOFTVT_X87_EXECUTE ".byte %c[opcode], %c[modrm]\n\tfnstsw %[fsw]\n\tfnclex\n\t"
#define SOFTVT_X87_LEAVE "fldcw %[saved]"
#define SOFTVT_X87_CODE [opcode] "i"(Opcode), [modrm] "i"(ModRm), [control] "m"(control)
#define SOFTVT_X87_CLOBBERS \
  "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "memory"

// Nothing in, ST(0) out: the constants.
template <u8 Opcode, u8 ModRm>
HostResult host_constant(u16 control) {
  HostResult r;
  u16 saved;
  asm volatile(SOFTVT_X87_ENTER SOFTVT_X87_EXECUTE "fstpt %[value]\n\t" SOFTVT_X87_LEAVE
               : [value] "=m"(r.value), [fsw] "=m"(r.fsw), [saved] "=m"(saved)
               : SOFTVT_X87_CODE
               : SOFTVT_X87_CLOBBERS);
  return r;
}

// ST(0) in, ST(0) out.
template <u8 Opcode, u8 ModRm>
HostResult host_unary(u16 control, const X87Reg& st0) {
  HostResult r;
  u16 saved;
  asm volatile(SOFTVT_X87_ENTER "fldt %[st0]\n\t" SOFTVT_X87_EXECUTE
                                "fstpt %[value]\n\t" SOFTVT_X87_LEAVE
               : [value] "=m"(r.value), [fsw] "=m"(r.fsw), [saved] "=m"(saved)
               : SOFTVT_X87_CODE, [st0] "m"(st0)
               : SOFTVT_X87_CLOBBERS);
  return r;
}

// ST(0) in, ST(0) and one pushed out. If the host did not push (C2 set), `second` is ST(0).
template <u8 Opcode, u8 ModRm>
HostResult host_unary_push(u16 control, const X87Reg& st0) {
  HostResult r;
  u16 saved;
  asm volatile(
      SOFTVT_X87_ENTER "fldt %[st0]\n\t" SOFTVT_X87_EXECUTE
                       "fstpt %[second]\n\tfstpt %[value]\n\tfnclex\n\t" SOFTVT_X87_LEAVE
      : [value] "=m"(r.value), [second] "=m"(r.second), [fsw] "=m"(r.fsw), [saved] "=m"(saved)
      : SOFTVT_X87_CODE, [st0] "m"(st0)
      : SOFTVT_X87_CLOBBERS);
  return r;
}

// ST(0) and ST(1) in, result in ST(0); the other register is dropped.
template <u8 Opcode, u8 ModRm>
HostResult host_binary(u16 control, const X87Reg& st0, const X87Reg& st1) {
  HostResult r;
  u16 saved;
  asm volatile(SOFTVT_X87_ENTER "fldt %[st1]\n\tfldt %[st0]\n\t" SOFTVT_X87_EXECUTE
                                "fstpt %[value]\n\tffree %%st(0)\n\t" SOFTVT_X87_LEAVE
               : [value] "=m"(r.value), [fsw] "=m"(r.fsw), [saved] "=m"(saved)
               : SOFTVT_X87_CODE, [st0] "m"(st0), [st1] "m"(st1)
               : SOFTVT_X87_CLOBBERS);
  return r;
}

// ST(0) and ST(1) in, result in ST(1) without a pop.
template <u8 Opcode, u8 ModRm>
HostResult host_binary_to_st1(u16 control, const X87Reg& st0, const X87Reg& st1) {
  HostResult r;
  u16 saved;
  asm volatile(SOFTVT_X87_ENTER "fldt %[st1]\n\tfldt %[st0]\n\t" SOFTVT_X87_EXECUTE
                                "fstp %%st(0)\n\tfstpt %[value]\n\t" SOFTVT_X87_LEAVE
               : [value] "=m"(r.value), [fsw] "=m"(r.fsw), [saved] "=m"(saved)
               : SOFTVT_X87_CODE, [st0] "m"(st0), [st1] "m"(st1)
               : SOFTVT_X87_CLOBBERS);
  return r;
}

// Only the status word out: comparisons with ST(1), FTST, FXAM.
template <u8 Opcode, u8 ModRm>
u16 host_compare(u16 control, const X87Reg& st0, const X87Reg& st1) {
  u16 saved, result;
  asm volatile(SOFTVT_X87_ENTER "fldt %[st1]\n\tfldt %[st0]\n\t" SOFTVT_X87_EXECUTE
                                "ffree %%st(0)\n\tffree %%st(1)\n\t" SOFTVT_X87_LEAVE
               : [fsw] "=m"(result), [saved] "=m"(saved)
               : SOFTVT_X87_CODE, [st0] "m"(st0), [st1] "m"(st1)
               : SOFTVT_X87_CLOBBERS);
  return result;
}

// The forms below have a memory operand; ModRM addresses it as [RDI].
constexpr u8 host_memory_modrm(unsigned reg) { return static_cast<u8>((reg << 3) | 7); }

// ST(0) and memory in, ST(0) out.
template <u8 Opcode, u8 ModRm>
HostResult host_memory_binary(u16 control, const X87Reg& st0, const u8* memory) {
  HostResult r;
  u16 saved;
  asm volatile(SOFTVT_X87_ENTER "fldt %[st0]\n\t" SOFTVT_X87_EXECUTE
                                "fstpt %[value]\n\t" SOFTVT_X87_LEAVE
               : [value] "=m"(r.value), [fsw] "=m"(r.fsw), [saved] "=m"(saved)
               : SOFTVT_X87_CODE, [st0] "m"(st0), "D"(memory)
               : SOFTVT_X87_CLOBBERS);
  return r;
}

// Memory in, pushed register out.
template <u8 Opcode, u8 ModRm>
HostResult host_load(u16 control, const u8* memory) {
  HostResult r;
  u16 saved;
  asm volatile(SOFTVT_X87_ENTER SOFTVT_X87_EXECUTE "fstpt %[value]\n\t" SOFTVT_X87_LEAVE
               : [value] "=m"(r.value), [fsw] "=m"(r.fsw), [saved] "=m"(saved)
               : SOFTVT_X87_CODE, "D"(memory)
               : SOFTVT_X87_CLOBBERS);
  return r;
}

// ST(0) in, memory out, by an instruction that pops; nothing is written if the host stops it.
template <u8 Opcode, u8 ModRm>
u16 host_store(u16 control, const X87Reg& st0, u8* memory) {
  u16 saved, result;
  asm volatile(SOFTVT_X87_ENTER "fldt %[st0]\n\t" SOFTVT_X87_EXECUTE
                                "ffree %%st(0)\n\t" SOFTVT_X87_LEAVE
               : [fsw] "=m"(result), [saved] "=m"(saved)
               : SOFTVT_X87_CODE, [st0] "m"(st0), "D"(memory)
               : SOFTVT_X87_CLOBBERS);
  return result;
}

#undef SOFTVT_X87_ENTER
#undef SOFTVT_X87_EXECUTE
#undef SOFTVT_X87_LEAVE
#undef SOFTVT_X87_CODE
#undef SOFTVT_X87_CLOBBERS

}  // namespace softvt::fpu
