#include "cpu/sys/debug_regs.h"

#include "cpu/core/tlb.h"
#include "cpu/sys/intercepted.h"
#include "cpu/sys/rows.h"

namespace softvt {
namespace {

// SDM 3B 18.2.4, R/W and LEN fields of DR7.
enum class Kind : u8 { Execute = 0, Write = 1, Io = 2, ReadWrite = 3 };

struct Breakpoint {
  Kind kind;
  u64 first;
  u64 length;
};

bool enabled(const Cpu& cpu, unsigned i) { return (cpu.dr7 >> (2 * i)) & 3; }

Breakpoint breakpoint(const Cpu& cpu, unsigned i) {
  const u64 field = cpu.dr7 >> (16 + 4 * i);
  constexpr u64 kLengths[] = {1, 2, 8, 4};
  const u64 length = kLengths[(field >> 2) & 3];
  // 18.2.5: the low bits that the length covers are ignored.
  return {static_cast<Kind>(field & 3), cpu.dr[i] & ~(length - 1), length};
}

// Do [first, first + length) and [address, address + size) share a byte? Wraps as addresses do.
bool overlap(const Breakpoint& b, u64 address, u64 size) {
  return address - b.first < b.length || b.first - address < size;
}

template <class Wanted>
u64 match(const Cpu& cpu, u64 address, u64 size, Wanted wanted) {
  u64 hit = 0;
  for (unsigned i = 0; i < 4; ++i) {
    if (!enabled(cpu, i)) continue;
    const Breakpoint b = breakpoint(cpu, i);
    if (wanted(b.kind) && overlap(b, address, size)) hit |= dr6::B0 << i;
  }
  return hit;
}

// DR4 and DR5 are DR6 and DR7 unless CR4.DE is set. SDM 3B 18.2.2.
bool resolve_number(const Cpu& cpu, u8 number, unsigned& n) {
  n = number;
  if (n == 4 || n == 5) {
    if (cpu.cr4 & cr4::DE) return false;
    n += 2;
  }
  return n < 8;
}

// Checks that reads and writes share. True: go on; otherwise `step` is the result.
// On Intel the exit precedes the #DB of DR7.GD (SDM 3C 26.1.3); on AMD all exceptions that need no
// memory come first (APM 2 15.9, table 15-7).
bool access_allowed(Cpu& cpu, const Insn& in, Intercept what, u8 number, u8 gpr, u64 value,
                    unsigned& n, Step& step) {
  // Hardware looks at the CPL before it looks at the number.
  if (cpu.cpl() != 0) {
    step = cpu.raise_gp(0);
    return false;
  }
  if (!resolve_number(cpu, number, n)) {
    step = cpu.raise_ud();
    return false;
  }
  const u64 detail = number | (gpr / 8) << 8;
  if (cpu.intel && cpu.intercepted(in, what, detail, value)) {
    step = intercepted_step(cpu);
    return false;
  }
  // SDM 3B 18.3.1.3 "General-Detect Exception Condition".
  if (cpu.dr7 & dr7::GD) {
    Event event{.vector = static_cast<u8>(Vector::DB)};
    event.dr6 = dr6::BD;
    step = cpu.raise_event(event);
    return false;
  }
  if (what == Intercept::DrWrite && n >= 6 && (value >> 32)) {
    step = cpu.raise_gp(0);
    return false;
  }
  if (!cpu.intel && cpu.intercepted(in, what, detail, value)) {
    step = intercepted_step(cpu);
    return false;
  }
  return true;
}

}  // namespace

u64 match_data_breakpoints(const Cpu& cpu, u64 linear, unsigned size, bool write) {
  return match(cpu, linear, size, [write](Kind kind) {
    return kind == Kind::ReadWrite || (write && kind == Kind::Write);
  });
}

u64 match_instruction_breakpoint(const Cpu& cpu, u64 linear) {
  return match(cpu, linear, 1, [](Kind kind) { return kind == Kind::Execute; });
}

u64 match_io_breakpoint(const Cpu& cpu, u16 port, unsigned size) {
  if ((cpu.cr4 & cr4::DE) == 0) return 0;  // 18.2.4: R/W = 10b is undefined without CR4.DE
  return match(cpu, port, size, [](Kind kind) { return kind == Kind::Io; });
}

Step mov_from_dr(Cpu& cpu, const Insn& in) {
  unsigned n;
  Step step;
  if (!access_allowed(cpu, in, Intercept::DrRead, in.src, in.dst, 0, n, step)) return step;
  const u64 value = n == 6 ? cpu.dr6 : n == 7 ? cpu.dr7 : cpu.dr[n & 3];
  if (cpu.code64())
    put_reg<u64>(cpu, in.dst, value);
  else
    put_reg<u32>(cpu, in.dst, static_cast<u32>(value));
  return Step::Next;
}

Step mov_to_dr(Cpu& cpu, const Insn& in) {
  const u64 value = cpu.code64() ? get_reg<u64>(cpu, in.src) : get_reg<u32>(cpu, in.src);
  unsigned n;
  Step step;
  if (!access_allowed(cpu, in, Intercept::DrWrite, in.dst, in.src, value, n, step)) return step;
  if (n == 6)
    cpu.dr6 = (value & dr6::Writable) | dr6::Fixed1;
  else if (n == 7)
    cpu.dr7 = (value & dr7::Writable) | dr7::Fixed1;
  else
    cpu.dr[n & 3] = value;
  // Pages that are watched now must not be entered for direct access.
  if (cpu.tlbs && breakpoints_enabled(cpu)) cpu.tlbs->flush_first_level(cpu);
  cpu.update_mode();
  return Step::EndBlock;
}

}  // namespace softvt
