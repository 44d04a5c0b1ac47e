// SDM 2D "XCHG", "XADD", SDM 2A "CMPXCHG", "CMPXCHG8B/CMPXCHG16B".
#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"

namespace softvt::insn {
namespace {

Step xchg(Cpu& cpu, const Insn& in) {
  return for_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    Target<T> target;
    if (!target.open(cpu, in)) return Step::Fault;
    const u8 other = in.form == Form::RM ? in.dst : in.src;
    target.write(cpu, in, get_reg<T>(cpu, other));
    put_reg<T>(cpu, other, target.value());
    return Step::Next;
  });
}

Step xadd(Cpu& cpu, const Insn& in) {
  return for_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    Target<T> target;
    if (!target.open(cpu, in)) return Step::Fault;
    const T addend = get_reg<T>(cpu, in.src);
    const T sum = static_cast<T>(target.value() + addend);
    put_reg<T>(cpu, in.src, target.value());
    target.write(cpu, in, sum);  // last: wins if both are the same register
    set_add_flags(cpu, sum, addend);
    return Step::Next;
  });
}

Step cmpxchg(Cpu& cpu, const Insn& in) {
  return for_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    Target<T> target;
    if (!target.open(cpu, in)) return Step::Fault;
    const T expected = get_reg<T>(cpu, kAx), found = target.value();
    if (expected == found) {
      target.write(cpu, in, get_reg<T>(cpu, in.src));
    } else {
      // The processor writes the old value back, so that every outcome is a locked write.
      if (has_memory(in)) target.write(cpu, in, found);
      put_reg<T>(cpu, kAx, found);
    }
    set_compare_flags(cpu, expected, found);
    return Step::Next;
  });
}

// Half is the type of the registers: rDX:rAX against memory, rCX:rBX into it.
template <class Half>
Step cmpxchg_pair(Cpu& cpu, const Insn& in) {
  constexpr unsigned kSize = 2 * sizeof(Half);
  u64 linear = 0;
  if (!operand_address(cpu, in, kSize, Access::ReadWrite, linear)) {
    // The alignment counts first where the address is not canonical either: #GP even for SS.
    if (kSize == 16 && linear % 16 != 0) cpu.raise_gp(0);
    return Step::Fault;
  }
  if (kSize == 16 && linear % 16 != 0) return cpu.raise_gp(0);
  Half found[2];
  if (!probe_write(cpu, linear, kSize) || !read_linear(cpu, linear, found, kSize)) {
    return Step::Fault;
  }
  const bool equal = found[0] == get_reg<Half>(cpu, kAx) && found[1] == get_reg<Half>(cpu, kDx);
  const Half fresh[2] = {get_reg<Half>(cpu, kBx), get_reg<Half>(cpu, kCx)};
  (void)write_linear(cpu, linear, equal ? fresh : found, kSize);
  if (!equal) {
    put_reg<Half>(cpu, kAx, found[0]);
    put_reg<Half>(cpu, kDx, found[1]);
  }
  change_flags(cpu, rflags::ZF, flag_if(equal, rflags::ZF));
  return Step::Next;
}

constexpr InsnRow kRows[] = {
    {.mnemonic = ZYDIS_MNEMONIC_XCHG, .fn = xchg, .lockable = true},
    {.mnemonic = ZYDIS_MNEMONIC_XADD, .fn = xadd, .lockable = true},
    {.mnemonic = ZYDIS_MNEMONIC_CMPXCHG, .fn = cmpxchg, .lockable = true},
    {.mnemonic = ZYDIS_MNEMONIC_CMPXCHG8B,
     .fn = cmpxchg_pair<u32>,
     .feature = Feature::Cx8,
     .lockable = true},
    {.mnemonic = ZYDIS_MNEMONIC_CMPXCHG16B,
     .fn = cmpxchg_pair<u64>,
     .feature = Feature::Cx16,
     .modes = modes::k64,
     .lockable = true},
};

}  // namespace

std::span<const InsnRow> exchange_rows() { return kRows; }

}  // namespace softvt::insn
