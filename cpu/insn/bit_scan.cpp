// SDM 2A "BSF", "BSR", "LZCNT", SDM 2B "POPCNT", "TZCNT". Undefined flags as current Intel
// processors give them: 0, but PF of the index for BSF and BSR.
#include <bit>

#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"

namespace softvt::insn {
namespace {

enum class Direction : u8 { Forward, Reverse };

template <Direction kDirection>
Step scan(Cpu& cpu, const Insn& in) {
  return for_word_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    T source;
    if (!fetch(cpu, in, in.src, source)) return Step::Fault;
    if (source == 0) {  // the whole destination register keeps its value
      cpu.set_arithmetic_flags(rflags::ZF | rflags::PF);
      return Step::Next;
    }
    const unsigned index = kDirection == Direction::Forward
                               ? std::countr_zero(source)
                               : kBits<T> - 1 - std::countl_zero(source);
    put_reg<T>(cpu, in.dst, static_cast<T>(index));
    cpu.set_arithmetic_flags(flag_if(lazy::parity(index), rflags::PF));
    return Step::Next;
  });
}

template <Direction kDirection>
Step count_zeros(Cpu& cpu, const Insn& in) {
  return for_word_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    T source;
    if (!fetch(cpu, in, in.src, source)) return Step::Fault;
    const int count =
        kDirection == Direction::Forward ? std::countr_zero(source) : std::countl_zero(source);
    put_reg<T>(cpu, in.dst, static_cast<T>(count));
    cpu.set_arithmetic_flags(flag_if(source == 0, rflags::CF) | flag_if(count == 0, rflags::ZF));
    return Step::Next;
  });
}

// Processors without the instruction ignore its F3 prefix.
Step tzcnt(Cpu& cpu, const Insn& in) {
  return cpu.has(Feature::Bmi1) ? count_zeros<Direction::Forward>(cpu, in)
                                : scan<Direction::Forward>(cpu, in);
}

Step lzcnt(Cpu& cpu, const Insn& in) {
  return cpu.has(Feature::Lzcnt) ? count_zeros<Direction::Reverse>(cpu, in)
                                 : scan<Direction::Reverse>(cpu, in);
}

Step popcnt(Cpu& cpu, const Insn& in) {
  return for_word_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    T source;
    if (!fetch(cpu, in, in.src, source)) return Step::Fault;
    put_reg<T>(cpu, in.dst, static_cast<T>(std::popcount(source)));
    cpu.set_arithmetic_flags(flag_if(source == 0, rflags::ZF));
    return Step::Next;
  });
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_BSF, scan<Direction::Forward>},
    {ZYDIS_MNEMONIC_BSR, scan<Direction::Reverse>},
    {ZYDIS_MNEMONIC_TZCNT, tzcnt},
    {ZYDIS_MNEMONIC_LZCNT, lzcnt},
    {ZYDIS_MNEMONIC_POPCNT, popcnt, Feature::Popcnt},
};

}  // namespace

std::span<const InsnRow> bit_scan_rows() { return kRows; }

}  // namespace softvt::insn
