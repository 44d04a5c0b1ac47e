// SDM 2A "BT—Bit Test", "BTC", "BTR", "BTS". CF is the bit; the undefined flags stay as they are,
// as on Intel processors.
#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"

namespace softvt::insn {
namespace {

enum class BitOp : u8 { Test, Set, Reset, Complement };

template <class T>
T changed(BitOp op, T v, T bit) {
  switch (op) {
    case BitOp::Set:
      return v | bit;
    case BitOp::Reset:
      return v & static_cast<T>(~bit);
    case BitOp::Complement:
      return v ^ bit;
    default:
      return v;
  }
}

// A bit offset in a register is signed and reaches beyond the operand: the access goes to the
// operand-sized unit that holds the bit. SDM 2A 3.1.1.9 "Bit(BitBase, BitOffset)".
template <class T>
bool bit_string_address(Cpu& cpu, const Insn& in, Access access, u64& linear) {
  if (in.form != Form::MR) return operand_address(cpu, in, sizeof(T), access, linear);
  const i64 bit_offset = static_cast<std::make_signed_t<T>>(get_reg<T>(cpu, in.src));
  const i64 unit = bit_offset >> __builtin_ctz(kBits<T>);
  const u64 offset = effective_address(cpu, in) + static_cast<u64>(unit) * sizeof(T);
  return segment_address(cpu, static_cast<Seg>(in.seg), offset & size_mask(in.addrsize), sizeof(T),
                         access, linear);
}

template <class T>
unsigned bit_number(const Cpu& cpu, const Insn& in) {
  const bool immediate = in.form == Form::RI || in.form == Form::MI;
  return (immediate ? static_cast<unsigned>(in.imm) : get_reg<T>(cpu, in.src)) & (kBits<T> - 1);
}

template <BitOp kOp>
Step bit_test(Cpu& cpu, const Insn& in) {
  return for_word_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    constexpr bool kWrites = kOp != BitOp::Test;
    const unsigned number = bit_number<T>(cpu, in);
    Target<T> target;
    T value;
    if (has_memory(in)) {
      u64 linear;
      const Access access = kWrites ? Access::ReadWrite : Access::Read;
      if (!bit_string_address<T>(cpu, in, access, linear)) return Step::Fault;
      if (kWrites ? !target.open_at(cpu, linear) : !read_linear(cpu, linear, &value, sizeof(T))) {
        return Step::Fault;
      }
    } else {
      (void)target.open(cpu, in);
    }
    if (kWrites || !has_memory(in)) value = target.value();
    const T bit = static_cast<T>(T{1} << number);
    if (kWrites) target.write(cpu, in, changed<T>(kOp, value, bit));
    change_flags(cpu, rflags::CF, flag_if(value & bit, rflags::CF));
    return Step::Next;
  });
}

constexpr InsnRow kRows[] = {
    {.mnemonic = ZYDIS_MNEMONIC_BT, .fn = bit_test<BitOp::Test>},
    {.mnemonic = ZYDIS_MNEMONIC_BTS, .fn = bit_test<BitOp::Set>, .lockable = true},
    {.mnemonic = ZYDIS_MNEMONIC_BTR, .fn = bit_test<BitOp::Reset>, .lockable = true},
    {.mnemonic = ZYDIS_MNEMONIC_BTC, .fn = bit_test<BitOp::Complement>, .lockable = true},
};

}  // namespace

std::span<const InsnRow> bit_test_rows() { return kRows; }

}  // namespace softvt::insn
