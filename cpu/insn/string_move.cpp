// SDM 2B "MOVS", "STOS", SDM 2A "LODS".
#include <cstring>

#include "cpu/insn/rows.h"
#include "cpu/insn/string_common.h"

namespace softvt::insn {
namespace {

// Copies upwards element by element, as the instruction is defined: a destination that begins
// inside the source repeats what lies between the two.
template <class T>
void copy_upwards(u8* to, const u8* from, std::size_t elements) {
  const std::size_t bytes = elements * sizeof(T);
  const auto distance =
      reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from);
  if (distance == 0 || distance >= bytes) {  // also if the destination is below the source
    std::memmove(to, from, bytes);
    return;
  }
  for (std::size_t i = 0; i < bytes; i += sizeof(T)) {
    T element;
    std::memcpy(&element, from + i, sizeof(T));
    std::memcpy(to + i, &element, sizeof(T));
  }
}

template <class T>
bool copy_run(Cpu& cpu, u64 source, u64 destination, u64 elements) {
  const unsigned bytes = static_cast<unsigned>(elements * sizeof(T));
  const u8* from = host_span(cpu, source, bytes, false);
  u8* to = from ? host_span(cpu, destination, bytes, true) : nullptr;
  if (!to) return false;
  copy_upwards<T>(to, from, elements);
  return true;
}

bool move_addresses(Cpu& cpu, const Insn& in, unsigned size, u64& source, u64& destination) {
  return source_address(cpu, in, size, source) &&
         destination_address(cpu, in, size, Access::Write, destination);
}

Step finish_moves(Cpu& cpu, const Insn& in, unsigned size, u64 elements) {
  advance(cpu, in, RSI, size, elements);
  advance(cpu, in, RDI, size, elements);
  return finish_iterations(cpu, in, elements);
}

template <class T>
Step move_one(Cpu& cpu, const Insn& in) {
  u64 source, destination;
  T element;
  // The source is read before anything of the destination is looked at.
  if (!source_address(cpu, in, sizeof(T), source) ||
      !read_linear(cpu, source, &element, sizeof(T)) ||
      !destination_address(cpu, in, sizeof(T), Access::Write, destination) ||
      !write_linear(cpu, destination, &element, sizeof(T))) {
    return Step::Fault;
  }
  return finish_moves(cpu, in, sizeof(T), 1);
}

template <class T>
Step movs(Cpu& cpu, const Insn& in) {
  if (repeated(in) && repeat_count(cpu, in) == 0) return finish_idle(cpu, in, true, true);
  if (!run_possible(cpu, in)) return move_one<T>(cpu, in);
  u64 source, destination;
  if (!move_addresses(cpu, in, sizeof(T), source, destination)) return move_one<T>(cpu, in);
  const u64 n = std::min({repeat_count(cpu, in), source_reach(cpu, in, source, sizeof(T)),
                          destination_reach(cpu, in, destination, sizeof(T))});
  if (n < 2) return move_one<T>(cpu, in);
  if (copy_run<T>(cpu, source, destination, n)) return finish_moves(cpu, in, sizeof(T), n);
  return iterate(cpu, n, [&] { return move_one<T>(cpu, in); });
}

template <class T>
void fill(u8* to, T value, u64 elements) {
  const u8 byte = static_cast<u8>(value);
  if (value == static_cast<T>(byte * 0x0101010101010101ull)) {  // all bytes alike: often 0
    std::memset(to, byte, elements * sizeof(T));
    return;
  }
  for (u64 i = 0; i < elements; ++i) std::memcpy(to + i * sizeof(T), &value, sizeof(T));
}

Step finish_stores(Cpu& cpu, const Insn& in, unsigned size, u64 elements) {
  advance(cpu, in, RDI, size, elements);
  return finish_iterations(cpu, in, elements);
}

template <class T>
Step store_one(Cpu& cpu, const Insn& in) {
  u64 destination;
  const T value = get_reg<T>(cpu, kAx);
  if (!destination_address(cpu, in, sizeof(T), Access::Write, destination) ||
      !write_linear(cpu, destination, &value, sizeof(T))) {
    return Step::Fault;
  }
  return finish_stores(cpu, in, sizeof(T), 1);
}

template <class T>
Step stos(Cpu& cpu, const Insn& in) {
  if (repeated(in) && repeat_count(cpu, in) == 0) return finish_idle(cpu, in, false, true);
  if (!run_possible(cpu, in)) return store_one<T>(cpu, in);
  u64 destination;
  if (!destination_address(cpu, in, sizeof(T), Access::Write, destination)) return Step::Fault;
  const u64 n = std::min(repeat_count(cpu, in), destination_reach(cpu, in, destination, sizeof(T)));
  if (n < 2) return store_one<T>(cpu, in);
  if (u8* to = host_span(cpu, destination, static_cast<unsigned>(n * sizeof(T)), true)) {
    fill(to, get_reg<T>(cpu, kAx), n);
    return finish_stores(cpu, in, sizeof(T), n);
  }
  return iterate(cpu, n, [&] { return store_one<T>(cpu, in); });
}

template <class T>
Step lods(Cpu& cpu, const Insn& in) {
  if (repeated(in) && repeat_count(cpu, in) == 0) return finish_idle(cpu, in);
  u64 source;
  T element;
  if (!source_address(cpu, in, sizeof(T), source) ||
      !read_linear(cpu, source, &element, sizeof(T))) {
    return Step::Fault;
  }
  put_reg<T>(cpu, kAx, element);
  advance(cpu, in, RSI, sizeof(T));
  return finish_iterations(cpu, in);
}

constexpr auto kInteger = Unit::Integer;
constexpr InsnRow kRows[] = {
    {ZYDIS_MNEMONIC_MOVSB, movs<u8>},
    {ZYDIS_MNEMONIC_MOVSW, movs<u16>},
    // SSE2 has an instruction of this name too.
    {.mnemonic = ZYDIS_MNEMONIC_MOVSD, .fn = movs<u32>, .operands = Operands::String},
    {ZYDIS_MNEMONIC_MOVSQ, movs<u64>, Feature::None, kInteger, modes::k64},
    {ZYDIS_MNEMONIC_STOSB, stos<u8>},
    {ZYDIS_MNEMONIC_STOSW, stos<u16>},
    {ZYDIS_MNEMONIC_STOSD, stos<u32>},
    {ZYDIS_MNEMONIC_STOSQ, stos<u64>, Feature::None, kInteger, modes::k64},
    {ZYDIS_MNEMONIC_LODSB, lods<u8>},
    {ZYDIS_MNEMONIC_LODSW, lods<u16>},
    {ZYDIS_MNEMONIC_LODSD, lods<u32>},
    {ZYDIS_MNEMONIC_LODSQ, lods<u64>, Feature::None, kInteger, modes::k64},
};

}  // namespace

std::span<const InsnRow> string_move_rows() { return kRows; }

}  // namespace softvt::insn
