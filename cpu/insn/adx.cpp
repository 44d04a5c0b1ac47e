// SDM 2A "ADCX", "ADOX": additions whose carry goes through CF or OF alone.
#include "cpu/insn/flags.h"
#include "cpu/insn/operands.h"
#include "cpu/insn/rows.h"

namespace softvt::insn {
namespace {

template <u64 kCarryFlag>
Step add_with_flag(Cpu& cpu, const Insn& in) {
  return for_dword_size(in.opsize, [&](auto zero) {
    using T = decltype(zero);
    T source;
    if (!fetch(cpu, in, in.src, source)) return Step::Fault;
    const bool carry = (cpu.arithmetic_flags() & kCarryFlag) != 0;
    const u128 sum = u128{get_reg<T>(cpu, in.dst)} + source + carry;
    put_reg<T>(cpu, in.dst, static_cast<T>(sum));
    change_flags(cpu, kCarryFlag, flag_if((sum >> kBits<T>) != 0, kCarryFlag));
    return Step::Next;
  });
}

constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_ADCX, add_with_flag<rflags::CF>, Feature::Adx},
    {ZYDIS_MNEMONIC_ADOX, add_with_flag<rflags::OF>, Feature::Adx},
};

}  // namespace

std::span<const InsnRow> adx_rows() { return kRows; }

}  // namespace softvt::insn
