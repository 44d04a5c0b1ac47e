// The four operations in all their forms. SDM 1 8.3.5 "Basic Arithmetic Instructions".
#include <array>
#include <utility>

#include "cpu/access.h"
#include "cpu/fpu/host_x87.h"
#include "cpu/fpu/operations.h"
#include "cpu/fpu/state.h"

namespace softvt::fpu {
namespace {

using RegisterFn = HostResult (*)(u16, const X87Reg&, const X87Reg&);
using MemoryFn = HostResult (*)(u16, const X87Reg&, const u8*);

// ModRM.reg: 0 ADD, 1 MUL, 4 SUB, 5 SUBR, 6 DIV, 7 DIVR; 2 and 3 are comparisons.
constexpr u8 to_st1_modrm(std::size_t reg) { return static_cast<u8>(0xc1 | (reg << 3)); }
constexpr bool is_comparison(std::size_t reg) { return reg == 2 || reg == 3; }

template <std::size_t Reg>
constexpr RegisterFn to_st0_entry() {
  if constexpr (is_comparison(Reg))
    return nullptr;
  else
    return host_binary<0xd8, to_st1_modrm(Reg)>;
}
template <std::size_t Reg>
constexpr RegisterFn to_sti_entry() {
  if constexpr (is_comparison(Reg))
    return nullptr;
  else
    return host_binary_to_st1<0xdc, to_st1_modrm(Reg)>;
}
template <u8 Opcode, std::size_t Reg>
constexpr MemoryFn memory_entry() {
  if constexpr (is_comparison(Reg))
    return nullptr;
  else
    return host_memory_binary<Opcode, host_memory_modrm(Reg)>;
}

template <std::size_t... Reg>
constexpr std::array<RegisterFn, 8> to_st0_row(std::index_sequence<Reg...>) {
  return {to_st0_entry<Reg>()...};
}
template <std::size_t... Reg>
constexpr std::array<RegisterFn, 8> to_sti_row(std::index_sequence<Reg...>) {
  return {to_sti_entry<Reg>()...};
}
template <u8 Opcode, std::size_t... Reg>
constexpr std::array<MemoryFn, 8> memory_row(std::index_sequence<Reg...>) {
  return {memory_entry<Opcode, Reg>()...};
}

constexpr auto kRegs = std::make_index_sequence<8>();
constexpr auto kToSt0 = to_st0_row(kRegs);
constexpr auto kToSti = to_sti_row(kRegs);

struct MemoryRow {
  unsigned size = 0;  // bytes of the operand
  std::array<MemoryFn, 8> by_reg{};
};
// By the low three bits of the opcode.
constexpr std::array<MemoryRow, 8> kMemory = {{
    {4, memory_row<0xd8>(kRegs)},  // m32fp
    {},
    {4, memory_row<0xda>(kRegs)},  // m32int
    {},
    {8, memory_row<0xdc>(kRegs)},  // m64fp
    {},
    {2, memory_row<0xde>(kRegs)},  // m16int
    {},
}};

Step with_memory(Cpu& cpu, const Insn& in, const Encoding& code) {
  const MemoryRow& row = kMemory[code.row()];
  const MemoryFn fn = row.by_reg[code.reg()];
  if (fn == nullptr) return cpu.raise_ud();
  u8 bytes[8];
  u64 linear;
  if (!operand_address(cpu, in, row.size, Access::Read, linear) ||
      !read_linear(cpu, linear, bytes, row.size)) {
    return Step::Fault;
  }
  record(cpu, in);
  X87State& s = cpu.fpu;
  if (empty(s, 0)) {
    if (stack_underflow(s)) put_st(s, 0, kIndefinite);
    return Step::Next;
  }
  const HostResult result = fn(host_control(s), st(s, 0), bytes);
  if (settle(s, result.fsw, fsw::C1)) put_st(s, 0, result.value);
  return Step::Next;
}

Step with_register(Cpu& cpu, const Insn& in, const Encoding& code) {
  const bool to_st0 = code.opcode == 0xd8;
  const bool pops = code.opcode == 0xde;
  const RegisterFn fn = (to_st0 ? kToSt0 : kToSti)[code.reg()];
  if (fn == nullptr) return cpu.raise_ud();
  record(cpu, in);
  X87State& s = cpu.fpu;
  HostResult result{kIndefinite, {}, 0};
  if (empty(s, 0) || empty(s, code.rm())) {
    if (!stack_underflow(s)) return Step::Next;
  } else {
    result = fn(host_control(s), st(s, 0), st(s, code.rm()));
    if (!settle(s, result.fsw, fsw::C1)) return Step::Next;
  }
  put_st(s, to_st0 ? 0 : code.rm(), result.value);
  if (pops) pop(s);
  return Step::Next;
}

// FABS and FCHS touch the sign alone and raise nothing but #IS.
template <class Change>
Step change_sign(Cpu& cpu, const Insn& in, Change change) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  X87State& s = cpu.fpu;
  if (empty(s, 0)) {
    if (stack_underflow(s)) put_st(s, 0, kIndefinite);
    return Step::Next;
  }
  X87Reg value = st(s, 0);
  value.sign_exponent = change(value.sign_exponent);
  set_codes(s, fsw::C1, 0);
  put_st(s, 0, value);
  return Step::Next;
}

}  // namespace

Step arithmetic(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  const Encoding code(in);
  return code.memory() ? with_memory(cpu, in, code) : with_register(cpu, in, code);
}

Step fabs(Cpu& cpu, const Insn& in) {
  return change_sign(cpu, in, [](u16 v) { return static_cast<u16>(v & 0x7fff); });
}
Step fchs(Cpu& cpu, const Insn& in) {
  return change_sign(cpu, in, [](u16 v) { return static_cast<u16>(v ^ 0x8000); });
}

}  // namespace softvt::fpu
