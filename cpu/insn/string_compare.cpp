// SDM 2A "CMPS", SDM 2B "SCAS".
#include <cstring>

#include "cpu/insn/flags.h"
#include "cpu/insn/rows.h"
#include "cpu/insn/string_common.h"

namespace softvt::insn {
namespace {

// What an iteration, or a run of them, compared last.
template <class T>
struct Comparison {
  u64 elements = 0;
  T left = 0, right = 0;
};

template <class T>
T element_at(const u8* p, u64 index) {
  T v;
  std::memcpy(&v, p + index * sizeof(T), sizeof(T));
  return v;
}

// REPE goes on while elements are equal, REPNE while they differ.
bool goes_on(const Insn& in, bool equal) { return equal == ((in.prefixes & prefix::kRep) != 0); }

// The flags are written behind the last iteration only: a fault on the way shows the flags from
// before the instruction. SDM 2B "REP/REPE/REPZ/REPNE/REPNZ".
template <class T>
Step finish_comparison(Cpu& cpu, const Insn& in, const Comparison<T>& last) {
  const bool more =
      repeated(in) && !count_down(cpu, in, last.elements) && goes_on(in, last.left == last.right);
  if (!more) set_compare_flags(cpu, last.left, last.right);
  return more ? Step::Repeat : Step::Next;
}

// Compares left(i) with right(i), up to `limit` elements.
template <class T, class Left, class Right>
Comparison<T> compare_run(const Insn& in, u64 limit, Left left, Right right) {
  Comparison<T> last;
  do {
    last.left = left(last.elements);
    last.right = right(last.elements);
    ++last.elements;
  } while (last.elements < limit && goes_on(in, last.left == last.right));
  return last;
}

template <class T>
Step finish_scan(Cpu& cpu, const Insn& in, const Comparison<T>& last) {
  advance(cpu, in, RDI, sizeof(T), last.elements);
  return finish_comparison(cpu, in, last);
}

template <class T>
Step scan_one(Cpu& cpu, const Insn& in) {
  u64 destination;
  Comparison<T> last{1, get_reg<T>(cpu, kAx), 0};
  if (!destination_address(cpu, in, sizeof(T), Access::Read, destination) ||
      !read_linear(cpu, destination, &last.right, sizeof(T))) {
    return Step::Fault;
  }
  return finish_scan(cpu, in, last);
}

template <class T>
Step scas(Cpu& cpu, const Insn& in) {
  if (repeated(in) && repeat_count(cpu, in) == 0) return finish_idle(cpu, in);
  if (!run_possible(cpu, in)) return scan_one<T>(cpu, in);
  u64 destination;
  if (!destination_address(cpu, in, sizeof(T), Access::Read, destination)) return Step::Fault;
  const u64 n = std::min(repeat_count(cpu, in), destination_reach(cpu, in, destination, sizeof(T)));
  if (n < 2) return scan_one<T>(cpu, in);
  if (const u8* p = host_span(cpu, destination, static_cast<unsigned>(n * sizeof(T)), false)) {
    const T value = get_reg<T>(cpu, kAx);
    return finish_scan(
        cpu, in,
        compare_run<T>(
            in, n, [&](u64) { return value; }, [&](u64 i) { return element_at<T>(p, i); }));
  }
  return iterate(cpu, n, [&] { return scan_one<T>(cpu, in); });
}

bool compare_addresses(Cpu& cpu, const Insn& in, unsigned size, u64& source, u64& destination) {
  return source_address(cpu, in, size, source) &&
         destination_address(cpu, in, size, Access::Read, destination);
}

template <class T>
Step finish_compare(Cpu& cpu, const Insn& in, const Comparison<T>& last) {
  advance(cpu, in, RSI, sizeof(T), last.elements);
  return finish_scan(cpu, in, last);
}

template <class T>
Step compare_one(Cpu& cpu, const Insn& in) {
  u64 source, destination;
  Comparison<T> last{1, 0, 0};
  // The destination comes first, as on Intel processors.
  if (!destination_address(cpu, in, sizeof(T), Access::Read, destination) ||
      !read_linear(cpu, destination, &last.right, sizeof(T)) ||
      !source_address(cpu, in, sizeof(T), source) ||
      !read_linear(cpu, source, &last.left, sizeof(T))) {
    return Step::Fault;
  }
  return finish_compare(cpu, in, last);
}

template <class T>
Step cmps(Cpu& cpu, const Insn& in) {
  if (repeated(in) && repeat_count(cpu, in) == 0) return finish_idle(cpu, in);
  if (!run_possible(cpu, in)) return compare_one<T>(cpu, in);
  u64 source, destination;
  if (!compare_addresses(cpu, in, sizeof(T), source, destination)) return compare_one<T>(cpu, in);
  const u64 n = std::min({repeat_count(cpu, in), source_reach(cpu, in, source, sizeof(T)),
                          destination_reach(cpu, in, destination, sizeof(T))});
  if (n < 2) return compare_one<T>(cpu, in);
  const unsigned bytes = static_cast<unsigned>(n * sizeof(T));
  const u8* a = host_span(cpu, source, bytes, false);
  const u8* b = a ? host_span(cpu, destination, bytes, false) : nullptr;
  if (!b) return iterate(cpu, n, [&] { return compare_one<T>(cpu, in); });
  return finish_compare(cpu, in,
                        compare_run<T>(
                            in, n, [&](u64 i) { return element_at<T>(a, i); },
                            [&](u64 i) { return element_at<T>(b, i); }));
}

constexpr auto kInteger = Unit::Integer;
constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_SCASB, scas<u8>},
    {ZYDIS_MNEMONIC_SCASW, scas<u16>},
    {ZYDIS_MNEMONIC_SCASD, scas<u32>},
    {ZYDIS_MNEMONIC_SCASQ, scas<u64>, Feature::None, kInteger, modes::k64},
    {ZYDIS_MNEMONIC_CMPSB, cmps<u8>},
    {ZYDIS_MNEMONIC_CMPSW, cmps<u16>},
    // SSE2 has an instruction of this name too.
    {.mnemonic = ZYDIS_MNEMONIC_CMPSD, .fn = cmps<u32>, .operands = Operands::String},
    {ZYDIS_MNEMONIC_CMPSQ, cmps<u64>, Feature::None, kInteger, modes::k64},
};

}  // namespace

std::span<const InsnRow> string_compare_rows() { return kRows; }

}  // namespace softvt::insn
