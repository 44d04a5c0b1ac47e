// BMI1 and BMI2. SDM 2A "ANDN", "BEXTR", "BLSI", "BLSMSK", "BLSR", "BZHI", SDM 2B "MULX", "PDEP",
// "PEXT", "RORX", "SARX/SHLX/SHRX". Undefined flags are 0, as on current Intel processors.
#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"

namespace softvt::insn {
namespace {

template <class T>
struct Operands {
  T first, second;  // by their places behind the destination
};

// Which of the two sources may be memory. The register that is left is in `src` then.
enum class MemoryPlace : u8 { First, Second };

template <MemoryPlace kPlace, class T>
bool fetch_pair(Cpu& cpu, const Insn& in, Operands<T>& out) {
  if (in.form == Form::RR) {
    out = {get_reg<T>(cpu, in.src), get_reg<T>(cpu, in.reg3)};
    return true;
  }
  T memory;
  if (!load_operand(cpu, in, memory)) return false;
  const T reg = get_reg<T>(cpu, in.src);
  out = kPlace == MemoryPlace::First ? Operands<T>{memory, reg} : Operands<T>{reg, memory};
  return true;
}

constexpr u64 kSignZero = rflags::SF | rflags::ZF;

struct Andn {
  static constexpr MemoryPlace kPlace = MemoryPlace::Second;
  template <class T>
  static T compute(Cpu& cpu, T a, T b) {
    const T out = static_cast<T>(~a & b);
    cpu.set_arithmetic_flags(result_flags(out) & kSignZero);
    return out;
  }
};

struct Bextr {
  static constexpr MemoryPlace kPlace = MemoryPlace::First;
  template <class T>
  static T compute(Cpu& cpu, T value, T control) {
    const unsigned start = control & 0xff, length = (control >> 8) & 0xff;
    T out = start < kBits<T> ? static_cast<T>(value >> start) : 0;
    if (length < kBits<T>) out &= static_cast<T>((T{1} << length) - 1);
    cpu.set_arithmetic_flags(result_flags(out) & rflags::ZF);
    return out;
  }
};

struct Bzhi {
  static constexpr MemoryPlace kPlace = MemoryPlace::First;
  template <class T>
  static T compute(Cpu& cpu, T value, T index) {
    const unsigned n = index & 0xff;
    const bool beyond = n >= kBits<T>;
    const T out = beyond ? value : static_cast<T>(value & ((T{1} << n) - 1));
    cpu.set_arithmetic_flags((result_flags(out) & kSignZero) | flag_if(beyond, rflags::CF));
    return out;
  }
};

struct Pdep {
  static constexpr MemoryPlace kPlace = MemoryPlace::Second;
  template <class T>
  static T compute(Cpu&, T value, T mask) {
    T out = 0;
    for (; mask != 0; mask &= mask - 1, value >>= 1) {
      if (value & 1) out |= mask & (T{0} - mask);
    }
    return out;
  }
};

struct Pext {
  static constexpr MemoryPlace kPlace = MemoryPlace::Second;
  template <class T>
  static T compute(Cpu&, T value, T mask) {
    T out = 0;
    for (T bit = 1; mask != 0; mask &= mask - 1, bit <<= 1) {
      if (value & mask & (T{0} - mask)) out |= bit;
    }
    return out;
  }
};

template <class T>
unsigned masked_count(T count) {
  return count & (kBits<T> - 1);
}

struct Sarx {
  static constexpr MemoryPlace kPlace = MemoryPlace::First;
  template <class T>
  static T compute(Cpu&, T value, T count) {
    return static_cast<T>(static_cast<std::make_signed_t<T>>(value) >> masked_count(count));
  }
};
struct Shlx {
  static constexpr MemoryPlace kPlace = MemoryPlace::First;
  template <class T>
  static T compute(Cpu&, T value, T count) {
    return value << masked_count(count);
  }
};
struct Shrx {
  static constexpr MemoryPlace kPlace = MemoryPlace::First;
  template <class T>
  static T compute(Cpu&, T value, T count) {
    return value >> masked_count(count);
  }
};

template <class Kind>
Step two_sources(Cpu& cpu, const Insn& in) {
  return for_dword_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    Operands<T> operands;
    if (!fetch_pair<Kind::kPlace>(cpu, in, operands)) return Step::Fault;
    put_reg<T>(cpu, in.dst, Kind::template compute<T>(cpu, operands.first, operands.second));
    return Step::Next;
  });
}

struct Blsi {
  template <class T>
  static T compute(T v) {
    return v & (T{0} - v);
  }
  static constexpr bool kCarryIfZero = false;
};
struct Blsmsk {
  template <class T>
  static T compute(T v) {
    return v ^ (v - 1);
  }
  static constexpr bool kCarryIfZero = true;
};
struct Blsr {
  template <class T>
  static T compute(T v) {
    return v & (v - 1);
  }
  static constexpr bool kCarryIfZero = true;
};

template <class Kind>
Step lowest_bit(Cpu& cpu, const Insn& in) {
  return for_dword_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    T source;
    if (!fetch(cpu, in, in.src, source)) return Step::Fault;
    const T out = Kind::template compute<T>(source);
    put_reg<T>(cpu, in.dst, out);
    cpu.set_arithmetic_flags((result_flags(out) & kSignZero) |
                             flag_if((source == 0) == Kind::kCarryIfZero, rflags::CF));
    return Step::Next;
  });
}

Step mulx(Cpu& cpu, const Insn& in) {
  return for_dword_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    T source;
    if (!fetch(cpu, in, in.reg3, source)) return Step::Fault;
    const u128 product = u128{get_reg<T>(cpu, kDx)} * source;
    put_reg<T>(cpu, in.src, static_cast<T>(product));
    put_reg<T>(cpu, in.dst, static_cast<T>(product >> kBits<T>));  // wins if both are the same
    return Step::Next;
  });
}

Step rorx(Cpu& cpu, const Insn& in) {
  return for_dword_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    T source;
    if (!fetch(cpu, in, in.src, source)) return Step::Fault;
    const unsigned n = in.imm & (kBits<T> - 1);
    put_reg<T>(cpu, in.dst, n ? static_cast<T>(source >> n | source << (kBits<T> - n)) : source);
    return Step::Next;
  });
}

constexpr auto kInteger = Unit::Integer;
constexpr InsnRow kRows[] = {
    // VEX prefixes do not exist in real and virtual-8086 mode. SDM 2A 2.3.1.
    {ZYDIS_MNEMONIC_ANDN, two_sources<Andn>, Feature::Bmi1, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_BEXTR, two_sources<Bextr>, Feature::Bmi1, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_BLSI, lowest_bit<Blsi>, Feature::Bmi1, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_BLSMSK, lowest_bit<Blsmsk>, Feature::Bmi1, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_BLSR, lowest_bit<Blsr>, Feature::Bmi1, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_BZHI, two_sources<Bzhi>, Feature::Bmi2, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_MULX, mulx, Feature::Bmi2, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_PDEP, two_sources<Pdep>, Feature::Bmi2, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_PEXT, two_sources<Pext>, Feature::Bmi2, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_RORX, rorx, Feature::Bmi2, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_SARX, two_sources<Sarx>, Feature::Bmi2, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_SHLX, two_sources<Shlx>, Feature::Bmi2, kInteger, modes::kProtectedOnly},
    {ZYDIS_MNEMONIC_SHRX, two_sources<Shrx>, Feature::Bmi2, kInteger, modes::kProtectedOnly},
};

}  // namespace

std::span<const InsnRow> bmi_rows() { return kRows; }

}  // namespace softvt::insn
