// Data transfer. SDM 1 8.3.3 "Data Transfer Instructions".
#include <array>
#include <cstring>

#include "cpu/access.h"
#include "cpu/fpu/host_x87.h"
#include "cpu/fpu/operations.h"
#include "cpu/fpu/state.h"

namespace softvt::fpu {
namespace {

using LoadFn = HostResult (*)(u16, const u8*);
using StoreFn = u16 (*)(u16, const X87Reg&, u8*);

struct LoadForm {
  u8 opcode, reg;
  u8 size;
  LoadFn convert;  // null: the 80-bit format itself, no conversion
};
constexpr LoadForm kLoads[] = {
    {0xd9, 0, 4, host_load<0xd9, host_memory_modrm(0)>},   // FLD m32fp
    {0xdd, 0, 8, host_load<0xdd, host_memory_modrm(0)>},   // FLD m64fp
    {0xdb, 5, 10, nullptr},                                // FLD m80fp
    {0xdf, 0, 2, host_load<0xdf, host_memory_modrm(0)>},   // FILD m16int
    {0xdb, 0, 4, host_load<0xdb, host_memory_modrm(0)>},   // FILD m32int
    {0xdf, 5, 8, host_load<0xdf, host_memory_modrm(5)>},   // FILD m64int
    {0xdf, 4, 10, host_load<0xdf, host_memory_modrm(4)>},  // FBLD m80bcd
};

// The host always uses the form that pops; whether the guest's stack is popped is `pops`.
struct StoreForm {
  u8 opcode, reg;
  u8 size;
  bool pops;
  StoreFn convert;  // null: the 80-bit format itself
};
constexpr StoreForm kStores[] = {
    {0xd9, 2, 4, false, host_store<0xd9, host_memory_modrm(3)>},  // FST m32fp
    {0xd9, 3, 4, true, host_store<0xd9, host_memory_modrm(3)>},   // FSTP m32fp
    {0xdd, 2, 8, false, host_store<0xdd, host_memory_modrm(3)>},  // FST m64fp
    {0xdd, 3, 8, true, host_store<0xdd, host_memory_modrm(3)>},   // FSTP m64fp
    {0xdb, 7, 10, true, nullptr},                                 // FSTP m80fp
    {0xdf, 2, 2, false, host_store<0xdf, host_memory_modrm(3)>},  // FIST m16int
    {0xdf, 3, 2, true, host_store<0xdf, host_memory_modrm(3)>},   // FISTP m16int
    {0xdb, 2, 4, false, host_store<0xdb, host_memory_modrm(3)>},  // FIST m32int
    {0xdb, 3, 4, true, host_store<0xdb, host_memory_modrm(3)>},   // FISTP m32int
    {0xdf, 7, 8, true, host_store<0xdf, host_memory_modrm(7)>},   // FISTP m64int
    {0xdf, 6, 10, true, host_store<0xdf, host_memory_modrm(6)>},  // FBSTP m80bcd
    {0xdf, 1, 2, true, host_store<0xdf, host_memory_modrm(1)>},   // FISTTP m16int
    {0xdb, 1, 4, true, host_store<0xdb, host_memory_modrm(1)>},   // FISTTP m32int
    {0xdd, 1, 8, true, host_store<0xdd, host_memory_modrm(1)>},   // FISTTP m64int
};

// Index by opcode and ModRM.reg, made from the rows above.
template <class Row, std::size_t N>
constexpr std::array<const Row*, 64> index_of(const Row (&rows)[N]) {
  std::array<const Row*, 64> index{};
  for (const Row& row : rows) index[(row.opcode & 7) * 8 + row.reg] = &row;
  return index;
}
constexpr auto kLoadIndex = index_of(kLoads);
constexpr auto kStoreIndex = index_of(kStores);

Step push_checked(X87State& s, const X87Reg& value) {
  if (!empty(s, 7)) {
    if (stack_overflow(s)) push(s, kIndefinite);
    return Step::Next;
  }
  set_codes(s, fsw::C1, 0);
  push(s, value);
  return Step::Next;
}

Step load_register(Cpu& cpu, const Insn& in, unsigned i) {
  record(cpu, in);
  X87State& s = cpu.fpu;
  if (empty(s, i)) {
    if (stack_underflow(s)) push(s, kIndefinite);
    return Step::Next;
  }
  return push_checked(s, X87Reg(st(s, i)));
}

Step load_memory(Cpu& cpu, const Insn& in, const Encoding& code) {
  const LoadForm* form = kLoadIndex[code.row() * 8 + code.reg()];
  if (form == nullptr) return cpu.raise_ud();
  u8 bytes[kExtendedSize];
  u64 linear;
  if (!operand_address(cpu, in, form->size, Access::Read, linear) ||
      !read_linear(cpu, linear, bytes, form->size)) {
    return Step::Fault;
  }
  record(cpu, in);
  X87State& s = cpu.fpu;
  X87Reg value;
  if (form->convert == nullptr) {
    value = register_from(bytes);
  } else if (empty(s, 7)) {  // a stack overflow comes before conversion exceptions
    // An unmasked #D is reported, but the value is loaded all the same.
    const HostResult result = form->convert(host_control(s), bytes);
    if (!settle(s, result.fsw, fsw::C1, fsw::IE)) return Step::Next;
    value = result.value;
  }
  return push_checked(s, value);
}

Step store_register(Cpu& cpu, const Insn& in, const Encoding& code) {
  // DD D0+i is FST, all other register forms (DD D8, D9 D8, DF D0, DF D8) pop.
  const bool pops = !(code.opcode == 0xdd && code.reg() == 2);
  record(cpu, in);
  X87State& s = cpu.fpu;
  X87Reg value = kIndefinite;
  if (empty(s, 0) && code.opcode == 0xd9) {  // D9 D8+i, FSTPNCE: no stack fault, no copy
    set_codes(s, fsw::C1, 0);
    pop(s);
    return Step::Next;
  }
  if (empty(s, 0)) {
    if (!stack_underflow(s)) return Step::Next;
  } else {
    set_codes(s, fsw::C1, 0);
    value = st(s, 0);
  }
  put_st(s, code.rm(), value);
  if (pops) pop(s);
  return Step::Next;
}

u16 convert(const StoreForm& form, u16 control, const X87Reg& value, u8* bytes) {
  if (form.convert != nullptr) return form.convert(control, value, bytes);
  register_to(value, bytes);
  return 0;
}

bool write_result(Cpu& cpu, const Insn& in, const u8* bytes, unsigned size) {
  u64 linear;
  return operand_address(cpu, in, size, Access::Write, linear) &&
         write_linear(cpu, linear, bytes, size);
}

// The masked response to a stack underflow stores the indefinite value of the format.
Step store_underflow(Cpu& cpu, const Insn& in, const StoreForm& form) {
  X87State& s = cpu.fpu;
  const bool masked = (s.fcw & fsw::IE) != 0;
  if (masked) {
    u8 bytes[kExtendedSize];
    convert(form, host_control(s), kIndefinite, bytes);
    if (!write_result(cpu, in, bytes, form.size)) return Step::Fault;
  }
  record(cpu, in);
  if (stack_underflow(s) && form.pops) pop(s);
  return Step::Next;
}

Step store_memory(Cpu& cpu, const Insn& in, const Encoding& code) {
  const StoreForm* form = kStoreIndex[code.row() * 8 + code.reg()];
  if (form == nullptr) return cpu.raise_ud();
  X87State& s = cpu.fpu;
  if (empty(s, 0)) return store_underflow(cpu, in, *form);
  u8 bytes[kExtendedSize];
  const u16 host = convert(*form, host_control(s), st(s, 0), bytes);
  const bool stopped = stops(s, host, fsw::StopStore);
  if (!stopped && !write_result(cpu, in, bytes, form->size)) return Step::Fault;
  record(cpu, in);
  settle(s, host, fsw::C1);
  if (!stopped && form->pops) pop(s);
  return Step::Next;
}

// FCMOVcc: DA moves on B, E, BE, U in the order of ModRM.reg, DB on their opposites.
bool fcmov_condition(const Cpu& cpu, const Encoding& code) {
  constexpr u64 kTested[4] = {rflags::CF, rflags::ZF, rflags::CF | rflags::ZF, rflags::PF};
  const bool any = (cpu.arithmetic_flags() & kTested[code.reg() & 3]) != 0;
  return any == (code.opcode == 0xda);
}

}  // namespace

Step load(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  const Encoding code(in);
  return code.memory() ? load_memory(cpu, in, code) : load_register(cpu, in, code.rm());
}

Step store(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  const Encoding code(in);
  return code.memory() ? store_memory(cpu, in, code) : store_register(cpu, in, code);
}

Step fxch(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  X87State& s = cpu.fpu;
  const unsigned i = Encoding(in).rm();
  X87Reg first = st(s, 0), second = st(s, i);
  if (empty(s, 0) || empty(s, i)) {
    if (!stack_underflow(s)) return Step::Next;
    if (empty(s, 0)) first = kIndefinite;
    if (empty(s, i)) second = kIndefinite;
  } else {
    set_codes(s, fsw::C1, 0);
  }
  put_st(s, 0, second);
  put_st(s, i, first);
  return Step::Next;
}

Step fcmov(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  X87State& s = cpu.fpu;
  const Encoding code(in);
  if (empty(s, 0) || empty(s, code.rm())) {
    if (stack_underflow(s)) put_st(s, 0, kIndefinite);
    return Step::Next;
  }
  if (fcmov_condition(cpu, code)) put_st(s, 0, X87Reg(st(s, code.rm())));
  return Step::Next;
}

}  // namespace softvt::fpu
