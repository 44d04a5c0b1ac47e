// Comparison and classification. SDM 1 8.3.6 "Comparison and Classification Instructions".
#include "cpu/access.h"
#include "cpu/fpu/host_x87.h"
#include "cpu/fpu/operations.h"
#include "cpu/fpu/state.h"

namespace softvt::fpu {
namespace {

constexpr u16 kUnordered = fsw::C0 | fsw::C2 | fsw::C3;

using MemoryFn = HostResult (*)(u16, const X87Reg&, const u8*);
struct MemoryForm {
  unsigned size;
  MemoryFn fn;
};
// By the low three bits of the opcode; the host compares without a pop (ModRM.reg 2).
constexpr MemoryForm kMemory[8] = {
    {4, host_memory_binary<0xd8, host_memory_modrm(2)>},  // FCOM m32fp
    {0, nullptr},
    {4, host_memory_binary<0xda, host_memory_modrm(2)>},  // FICOM m32int
    {0, nullptr},
    {8, host_memory_binary<0xdc, host_memory_modrm(2)>},  // FCOM m64fp
    {0, nullptr},
    {2, host_memory_binary<0xde, host_memory_modrm(2)>},  // FICOM m16int
    {0, nullptr},
};

// The quiet comparisons: DD E0..EF, DA E9, and DB/DF E8..EF.
bool is_quiet(const Encoding& code) {
  return code.opcode == 0xdd || code.opcode == 0xda || code.reg() == 5;
}

u16 compare_registers(const X87State& s, const Encoding& code) {
  const auto fn = is_quiet(code) ? host_compare<0xdd, 0xe1> : host_compare<0xd8, 0xd1>;
  return fn(host_control(s), st(s, 0), st(s, code.rm()));
}

// How often the comparison pops.
unsigned pops(const Encoding& code) {
  if (code.memory()) return code.reg() == 3 ? 1 : 0;
  if (code.modrm == 0xd9 && code.opcode == 0xde) return 2;  // FCOMPP
  if (code.modrm == 0xe9 && code.opcode == 0xda) return 2;  // FUCOMPP
  if (code.opcode == 0xdd) return code.reg() == 5 ? 1 : 0;  // FUCOM, FUCOMP
  // FCOM (D8 D0+i, DC D0+i); FCOMP (D8 D8+i, DC D8+i), also DE D0+i.
  return code.reg() == 2 && code.opcode != 0xde ? 0 : 1;
}

// The codes are delivered even if an unmasked exception stops the comparison. SDM 2A
// "FCOM/FCOMP/FCOMPP" says they are not set then; processors set them.
Step finish(X87State& s, u16 host, unsigned pop_count) {
  const bool done = settle(s, host, 0);
  set_codes(s, fsw::Codes, host & ~fsw::C1);
  if (done) pop(s, pop_count);
  return Step::Next;
}

Step underflow(X87State& s, unsigned pop_count) {
  const bool masked = stack_underflow(s);
  set_codes(s, fsw::Codes, kUnordered);
  if (masked) pop(s, pop_count);
  return Step::Next;
}

}  // namespace

Step compare(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  const Encoding code(in);
  X87State& s = cpu.fpu;
  const unsigned pop_count = pops(code);
  if (!code.memory()) {
    record(cpu, in);
    if (empty(s, 0) || empty(s, code.rm())) return underflow(s, pop_count);
    return finish(s, compare_registers(s, code), pop_count);
  }
  const MemoryForm& form = kMemory[code.row()];
  if (form.fn == nullptr) return cpu.raise_ud();
  u8 bytes[8];
  u64 linear;
  if (!operand_address(cpu, in, form.size, Access::Read, linear) ||
      !read_linear(cpu, linear, bytes, form.size)) {
    return Step::Fault;
  }
  record(cpu, in);
  if (empty(s, 0)) return underflow(s, pop_count);
  return finish(s, form.fn(host_control(s), st(s, 0), bytes).fsw, pop_count);
}

// SDM 2A "FCOMI/FCOMIP/FUCOMI/FUCOMIP", table 3-21.
Step compare_flags(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  const Encoding code(in);
  const bool pops = code.opcode == 0xdf;
  X87State& s = cpu.fpu;
  u16 codes = kUnordered;
  bool done;
  if (empty(s, 0) || empty(s, code.rm())) {
    done = stack_underflow(s);
  } else {
    codes = compare_registers(s, code);
    done = settle(s, codes, 0);
  }
  // Delivered even if an unmasked exception stops the instruction, see finish().
  u64 flags = 0;
  if ((codes & fsw::C0) != 0) flags |= rflags::CF;
  if ((codes & fsw::C2) != 0) flags |= rflags::PF;
  if ((codes & fsw::C3) != 0) flags |= rflags::ZF;
  cpu.set_arithmetic_flags(flags);
  if (done && pops) pop(s);
  return Step::Next;
}

Step ftst(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  X87State& s = cpu.fpu;
  if (empty(s, 0)) return underflow(s, 0);
  return finish(s, host_compare<0xd9, 0xe4>(host_control(s), st(s, 0), st(s, 0)), 0);
}

// SDM 2A "FXAM", table 3-42. Empty is C3 and C0; C1 is the sign even then.
Step fxam(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  record(cpu, in);
  X87State& s = cpu.fpu;
  if (empty(s, 0)) {
    const bool negative = (st(s, 0).sign_exponent & 0x8000) != 0;
    const u16 codes = fsw::C0 | fsw::C3;
    set_codes(s, fsw::Codes, negative ? u16{codes | fsw::C1} : codes);
    return Step::Next;
  }
  set_codes(s, fsw::Codes, host_compare<0xd9, 0xe5>(host_control(s), st(s, 0), st(s, 0)));
  return Step::Next;
}

}  // namespace softvt::fpu
