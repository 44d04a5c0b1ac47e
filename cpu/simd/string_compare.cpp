// PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM. SDM 2B 4.1 "Imm8 Control Byte Operation for
// PCMPESTRI / PCMPESTRM / PCMPISTRI / PCMPISTRM". Bit 7 of the immediate is ignored.
#include <algorithm>

#include "cpu/simd/operands.h"
#include "cpu/simd/rows.h"

namespace softvt::simd {

namespace {

struct Strings {
  Vec first, second;
  i32 first_length, second_length;  // explicit lengths
};
struct Comparison {
  u64 flags = 0;
  u32 index = 0;
  Vec mask{};
};
using CompareFn = void (*)(const Strings&, Comparison&);

void set_flags(Comparison& out, bool c, bool z, bool s, bool o) {
  out.flags =
      (c ? rflags::CF : 0) | (z ? rflags::ZF : 0) | (s ? rflags::SF : 0) | (o ? rflags::OF : 0);
}

struct ExplicitIndex {
  template <unsigned Imm>
  static void run(const Strings& in, Comparison& out) {
    bool c, z, s, o;
    asm volatile("pcmpestri %[imm], %[second], %[first]"
                 : "=c"(out.index), "=@ccc"(c), "=@ccz"(z), "=@ccs"(s), "=@cco"(o)
                 : [first] "x"(in.first), [second] "x"(in.second), "a"(in.first_length),
                   "d"(in.second_length), [imm] "i"(Imm));
    set_flags(out, c, z, s, o);
  }
};
struct ExplicitMask {
  template <unsigned Imm>
  static void run(const Strings& in, Comparison& out) {
    bool c, z, s, o;
    asm volatile("pcmpestrm %[imm], %[second], %[first]"
                 : "=Yz"(out.mask), "=@ccc"(c), "=@ccz"(z), "=@ccs"(s), "=@cco"(o)
                 : [first] "x"(in.first), [second] "x"(in.second), "a"(in.first_length),
                   "d"(in.second_length), [imm] "i"(Imm));
    set_flags(out, c, z, s, o);
  }
};
struct ImplicitIndex {
  template <unsigned Imm>
  static void run(const Strings& in, Comparison& out) {
    bool c, z, s, o;
    asm volatile("pcmpistri %[imm], %[second], %[first]"
                 : "=c"(out.index), "=@ccc"(c), "=@ccz"(z), "=@ccs"(s), "=@cco"(o)
                 : [first] "x"(in.first), [second] "x"(in.second), [imm] "i"(Imm));
    set_flags(out, c, z, s, o);
  }
};
struct ImplicitMask {
  template <unsigned Imm>
  static void run(const Strings& in, Comparison& out) {
    bool c, z, s, o;
    asm volatile("pcmpistrm %[imm], %[second], %[first]"
                 : "=Yz"(out.mask), "=@ccc"(c), "=@ccz"(z), "=@ccs"(s), "=@cco"(o)
                 : [first] "x"(in.first), [second] "x"(in.second), [imm] "i"(Imm));
    set_flags(out, c, z, s, o);
  }
};

template <unsigned Size>
struct CompareTable {
  CompareFn fn[Size];
};
template <class Op, unsigned... Imm>
constexpr CompareTable<sizeof...(Imm)> make_table(std::integer_sequence<unsigned, Imm...>) {
  return {{&Op::template run<Imm>...}};
}
template <class Op>
constexpr auto kTable = make_table<Op>(std::make_integer_sequence<unsigned, 128>{});

// Lengths saturate at the number of elements, so a 64-bit one may be cut to what the 32-bit form
// takes.
i32 length(const Cpu& cpu, const Insn& in, Gpr reg) {
  if (!wide(in)) return static_cast<i32>(cpu.r[reg]);
  return static_cast<i32>(std::clamp<i64>(static_cast<i64>(cpu.r[reg]), -16, 16));
}

template <class Op, bool IsMask>
Step compare_strings(Cpu& cpu, const Insn& in) {
  Strings strings{get_xmm(cpu, in.dst), {}, length(cpu, in, RAX), length(cpu, in, RDX)};
  if (!fetch_xmm<16, Align::Any>(cpu, in, strings.second)) return Step::Fault;
  Comparison result;
  kTable<Op>.fn[imm8(in) & 127](strings, result);
  if (IsMask) {
    put_xmm(cpu, 0, result.mask);
  } else {
    put_reg<u32>(cpu, RCX * 8, result.index);
  }
  cpu.set_arithmetic_flags(result.flags);
  return Step::Next;
}

constexpr InsnRow row(ZydisMnemonic m, ColdFn fn) { return {m, fn, Feature::Sse42, Unit::Sse}; }

constexpr InsnRow kRows[] = {
    row(ZYDIS_MNEMONIC_PCMPESTRI, compare_strings<ExplicitIndex, false>),
    row(ZYDIS_MNEMONIC_PCMPESTRM, compare_strings<ExplicitMask, true>),
    row(ZYDIS_MNEMONIC_PCMPISTRI, compare_strings<ImplicitIndex, false>),
    row(ZYDIS_MNEMONIC_PCMPISTRM, compare_strings<ImplicitMask, true>),
};

}  // namespace

std::span<const InsnRow> string_compare_rows() { return kRows; }

}  // namespace softvt::simd
