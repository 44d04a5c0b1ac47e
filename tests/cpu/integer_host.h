// Runs register forms of integer instructions on softvt's functions and on the host's processor.
//
// Flags that the manual leaves undefined are not compared, unless SOFTVT_TEST_UNDEFINED_FLAGS is
// set in the environment: softvt chooses them as current Intel processors do.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/insn/rows.h"

namespace softvt::test {

struct Registers {
  u64 a = 0, b = 0, c = 0, d = 0, flags = 0;
};

using HostCode = void (*)(Registers&);

#ifdef __x86_64__
// A function that executes `code` with RAX, RBX, RCX, RDX and the flags of its argument.
#define SOFTVT_HOST_CODE(code)                                               \
  [](::softvt::test::Registers& r) {                                         \
    asm volatile("lea -128(%%rsp), %%rsp\n push %4\n popfq\n" code           \
                 "\n pushfq\n pop %4\n lea 128(%%rsp), %%rsp"                \
                 : "+a"(r.a), "+b"(r.b), "+c"(r.c), "+d"(r.d), "+r"(r.flags) \
                 :                                                           \
                 : "cc", "memory");                                          \
  }
#else
#define SOFTVT_HOST_CODE(code) nullptr
#endif

constexpr u8 kA = 0, kC = 8, kD = 16, kB = 24, kHighA = 1, kHighC = 9;

inline Insn register_insn(unsigned size, u8 opcode, u8 dst, u8 src = 0, u8 reg3 = 0) {
  Insn in{};
  in.form = Form::RR;
  in.opsize = static_cast<u8>(size);
  in.addrsize = 8;
  in.opcode = opcode;
  in.dst = dst;
  in.src = src;
  in.reg3 = reg3;
  return in;
}

inline Insn one_register_insn(unsigned size, u8 opcode, u8 dst) {
  Insn in = register_insn(size, opcode, dst);
  in.form = Form::R;
  return in;
}

inline Insn immediate_insn(unsigned size, u8 opcode, u8 dst, i64 imm) {
  Insn in = register_insn(size, opcode, dst);
  in.form = Form::RI;
  in.imm = imm;
  return in;
}

inline ColdFn function_of(ZydisMnemonic mnemonic) {
  for (const InsnRow& row : integer_rows()) {
    if (row.mnemonic == mnemonic) return row.fn;
  }
  ADD_FAILURE() << "no row for " << ZydisMnemonicGetString(mnemonic);
  return nullptr;
}

inline void load(Cpu& cpu, const Registers& regs) {
  cpu.r[RAX] = regs.a;
  cpu.r[RBX] = regs.b;
  cpu.r[RCX] = regs.c;
  cpu.r[RDX] = regs.d;
  cpu.set_arithmetic_flags(regs.flags);
}

inline Registers save(const Cpu& cpu) {
  return {cpu.r[RAX], cpu.r[RBX], cpu.r[RCX], cpu.r[RDX], cpu.arithmetic_flags()};
}

// Values that sit at the borders of the operand sizes, and random ones.
class Values {
 public:
  u64 next() {
    static constexpr u64 kEdges[] = {0,
                                     1,
                                     2,
                                     0x7f,
                                     0x80,
                                     0xff,
                                     0x100,
                                     0x7fff,
                                     0x8000,
                                     0xffff,
                                     0x10000,
                                     0x7fffffff,
                                     0x80000000,
                                     0xffffffff,
                                     0x100000000,
                                     ~u64{0},
                                     ~u64{0} - 1,
                                     u64{1} << 63,
                                     (u64{1} << 63) - 1};
    const u64 v = random_();
    switch (v % 4) {
      case 0:
        return kEdges[(v >> 8) % std::size(kEdges)];
      case 1:
        return random_() >> (v >> 8) % 64;
      default:
        return random_();
    }
  }
  Registers registers() { return {next(), next(), next(), next(), random_() & rflags::Arithmetic}; }

 private:
  std::mt19937_64 random_{20240229};
};

struct HostCase {
  const char* name;
  ZydisMnemonic mnemonic;
  Insn insn;
  HostCode host;
  u64 undefined_flags = 0;
  bool may_fault = false;  // inputs that fault are left out
};

inline void compare_with_host(const HostCase& c, unsigned rounds = 3000) {
  const ColdFn fn = function_of(c.mnemonic);
  if (!fn || !c.host) return;
  const u64 ignored = std::getenv("SOFTVT_TEST_UNDEFINED_FLAGS") ? 0 : c.undefined_flags;
  const u64 compared = rflags::Arithmetic & ~ignored;
  Values values;
  auto cpu = std::make_unique<Cpu>();
  for (u8 f = 1; f < static_cast<u8>(Feature::Count); ++f) {
    cpu->features.set(static_cast<Feature>(f));
  }
  for (unsigned i = 0; i < rounds; ++i) {
    const Registers before = values.registers();
    load(*cpu, before);
    const Step step = fn(*cpu, c.insn);
    if (c.may_fault && step == Step::Fault) continue;
    ASSERT_EQ(step, Step::Next) << c.name;
    const Registers ours = save(*cpu);
    Registers host = before;
    host.flags |= rflags::Fixed1 | rflags::IF;
    c.host(host);
    const auto inputs = [&] {
      char text[200];
      std::snprintf(text, sizeof text, "%s: a=%lx b=%lx c=%lx d=%lx flags=%lx", c.name, before.a,
                    before.b, before.c, before.d, before.flags);
      return std::string(text);
    };
    ASSERT_EQ(ours.a, host.a) << inputs();
    ASSERT_EQ(ours.b, host.b) << inputs();
    ASSERT_EQ(ours.c, host.c) << inputs();
    ASSERT_EQ(ours.d, host.d) << inputs();
    ASSERT_EQ(ours.flags & compared, host.flags & compared) << inputs();
  }
}

}  // namespace softvt::test
