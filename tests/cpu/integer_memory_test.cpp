// Memory forms of the integer instructions: strings, stacks, bit strings, read-modify-write.
// Flat 32-bit segments without paging, RAM at 0; what lies behind it is nobody's.
#include <cstring>
#include <numeric>

#include "cpu/access.h"
#include "cpu/core/tlb.h"
#include "cpu/phys_memory.h"
#include "tests/cpu/integer_host.h"

namespace softvt::test {
namespace {

constexpr u64 kRam = 0x40000;

class IntegerMemory : public ::testing::Test {
 protected:
  IntegerMemory() {
    mem_.add_ram(0, kRam);
    cpu_.mem = &mem_;
    cpu_.tlbs = tlbs_.get();
    cpu_.cr0 |= cr0::PE;
    for (unsigned i = 1; i < kFeatureCount; ++i) cpu_.features.set(static_cast<Feature>(i));
    set_segments(0xffffffff);
  }
  void set_segments(u32 limit) {
    for (u8 i = 0; i < 6; ++i) {
      Segment s;
      s.limit = limit;
      s.rights = seg_rights::P | seg_rights::S | seg_rights::DB | (i == 1 ? 0xb : 0x3);
      cpu_.set_segment(static_cast<Seg>(i), s);
    }
  }
  template <class T>
  T get(u64 pa) {
    T v{};
    EXPECT_TRUE(mem_.read(pa, &v, sizeof v));
    return v;
  }
  template <class T>
  void put(u64 pa, T v) {
    ASSERT_TRUE(mem_.write(pa, &v, sizeof v));
  }
  std::vector<u8> bytes(u64 pa, u64 size) {
    std::vector<u8> v(size);
    EXPECT_TRUE(mem_.read(pa, v.data(), size));
    return v;
  }
  void fill_counting(u64 pa, u64 size) {
    std::vector<u8> v(size);
    std::iota(v.begin(), v.end(), u8{1});
    ASSERT_TRUE(mem_.write(pa, v.data(), size));
  }
  static Insn memory_insn(Form form, unsigned size, u8 opcode, u8 reg, i32 disp = 0x1000) {
    Insn in = register_insn(size, opcode, reg, reg);
    in.form = form;
    in.addrsize = 4;
    in.base = in.idx = slot::kZero * 8;
    in.disp = disp;
    in.seg = static_cast<u8>(Seg::DS);
    return in;
  }
  static Insn string_insn(u8 prefixes, unsigned address_size = 4) {
    Insn in{};
    in.addrsize = static_cast<u8>(address_size);
    in.prefixes = prefixes;
    in.seg = static_cast<u8>(Seg::DS);
    return in;
  }
  static Insn sized(unsigned size) {
    Insn in{};
    in.opsize = static_cast<u8>(size);
    return in;
  }
  Step run(ZydisMnemonic m, const Insn& in) { return function_of(m)(cpu_, in); }
  Step run_to_end(ZydisMnemonic m, const Insn& in) {
    Step step;
    steps_ = 0;
    do {
      step = run(m, in);
      ++steps_;
    } while (step == Step::Repeat);
    return step;
  }
  void set_string(u64 count, u64 source, u64 destination) {
    cpu_.r[RCX] = count;
    cpu_.r[RSI] = source;
    cpu_.r[RDI] = destination;
  }

  PhysMemory mem_;
  std::unique_ptr<TlbPool> tlbs_ = std::make_unique<TlbPool>();
  Cpu cpu_;
  unsigned steps_ = 0;
};

TEST_F(IntegerMemory, RepMovsCopiesInRuns) {
  fill_counting(0x1234, 5000);
  set_string(5000, 0x1234, 0x8fff);
  EXPECT_EQ(run_to_end(ZYDIS_MNEMONIC_MOVSB, string_insn(prefix::kRep)), Step::Next);
  EXPECT_EQ(bytes(0x1234, 5000), bytes(0x8fff, 5000));
  EXPECT_EQ(cpu_.r[RCX], 0u);
  EXPECT_EQ(cpu_.r[RSI], 0x1234u + 5000);
  EXPECT_EQ(cpu_.r[RDI], 0x8fffu + 5000);
  const unsigned cold_steps = steps_;
  set_string(5000, 0x1234, 0x8fff);
  run_to_end(ZYDIS_MNEMONIC_MOVSB, string_insn(prefix::kRep));
  EXPECT_EQ(steps_, cold_steps) << "time must not depend on the TLB";
  EXPECT_LT(steps_, 8u);
}

TEST_F(IntegerMemory, OverlappingMovsRepeatsThePattern) {
  for (const int distance : {1, 3, 8, -1, -5, 16}) {
    fill_counting(0x2000, 3000);
    std::vector<u8> expected = bytes(0x2000, 3000);
    for (int i = 0; i < 300; ++i) {
      u32 element;
      std::memcpy(&element, &expected[0x100 + i * 4], 4);
      std::memcpy(&expected[0x100 + distance + i * 4], &element, 4);
    }
    set_string(300, 0x2100, 0x2100 + distance);
    for (const InsnRow& row : integer_rows()) {
      if (row.mnemonic != ZYDIS_MNEMONIC_MOVSD) continue;
      while (row.fn(cpu_, string_insn(prefix::kRep)) == Step::Repeat) {
      }
    }
    EXPECT_EQ(bytes(0x2000, 3000), expected) << distance;
  }
}

TEST_F(IntegerMemory, MovsDownwards) {
  fill_counting(0x3000, 400);
  cpu_.rflags_rest |= rflags::DF;
  set_string(200, 0x3000 + 398, 0x5000 + 398);
  run_to_end(ZYDIS_MNEMONIC_MOVSW, string_insn(prefix::kRep));
  EXPECT_EQ(bytes(0x3000, 400), bytes(0x5000, 400));
  EXPECT_EQ(cpu_.r[RSI], 0x2ffeu);
}

TEST_F(IntegerMemory, StosStopsExactlyAtTheLimit) {
  set_segments(0x1005);
  cpu_.r[RAX] = 0x5a5a;
  set_string(0x100, 0, 0xff0);
  EXPECT_EQ(run_to_end(ZYDIS_MNEMONIC_STOSW, string_insn(prefix::kRep)), Step::Fault);
  EXPECT_EQ(cpu_.fault.vector, static_cast<u8>(Vector::GP));
  EXPECT_EQ(cpu_.r[RDI], 0x1006u);
  EXPECT_EQ(cpu_.r[RCX], 0x100u - 11);
  EXPECT_EQ(get<u16>(0x1004), 0x5a5a);
  EXPECT_EQ(get<u8>(0x1006), 0);
}

TEST_F(IntegerMemory, SixteenBitIndexWrapsAndKeepsUpperHalf) {
  cpu_.r[RAX] = 0x5a;
  set_string(0x77770020, 0, 0xabcdfff0);
  EXPECT_EQ(run_to_end(ZYDIS_MNEMONIC_STOSB, string_insn(prefix::kRep, 2)), Step::Next);
  EXPECT_EQ(cpu_.r[RDI], 0xabcd0010u);
  EXPECT_EQ(cpu_.r[RCX], 0x77770000u);
  EXPECT_EQ(get<u8>(0xffff), 0x5a);
  EXPECT_EQ(get<u8>(0xf), 0x5a);
  EXPECT_EQ(get<u8>(0x10), 0);
  EXPECT_EQ(get<u8>(0x10000), 0);
}

TEST_F(IntegerMemory, ScasAndCmpsStopAtTheElement) {
  const std::vector<u8> ones(9000, 1);
  ASSERT_TRUE(mem_.write(0x1000, ones.data(), ones.size()));
  ASSERT_TRUE(mem_.write(0x8100, ones.data(), ones.size()));
  put<u8>(0x1000 + 7000, 0);
  cpu_.r[RAX] = 0;
  set_string(0xffffffff, 0, 0x1000);
  EXPECT_EQ(run_to_end(ZYDIS_MNEMONIC_SCASB, string_insn(prefix::kRepne)), Step::Next);
  EXPECT_EQ(cpu_.r[RDI], 0x1000u + 7001);
  EXPECT_EQ(static_cast<u32>(~cpu_.r[RCX]), 7001u);
  EXPECT_TRUE(cpu_.arithmetic_flags() & rflags::ZF);

  set_string(8000, 0x1000, 0x8100);
  EXPECT_EQ(run_to_end(ZYDIS_MNEMONIC_CMPSB, string_insn(prefix::kRep)), Step::Next);
  EXPECT_EQ(cpu_.r[RCX], 999u);
  EXPECT_EQ(cpu_.r[RSI], 0x1000u + 7001);
  EXPECT_EQ(cpu_.arithmetic_flags() & (rflags::ZF | rflags::CF), rflags::CF);
}

TEST_F(IntegerMemory, BitStringsReachBelowAndAboveTheirBase) {
  cpu_.r[RCX] = static_cast<u32>(-33);
  EXPECT_EQ(run(ZYDIS_MNEMONIC_BTS, memory_insn(Form::MR, 4, 0xab, kC)), Step::Next);
  EXPECT_EQ(get<u32>(0x1000 - 8), 0x80000000u);
  EXPECT_FALSE(cpu_.arithmetic_flags() & rflags::CF);
  EXPECT_EQ(run(ZYDIS_MNEMONIC_BT, memory_insn(Form::MR, 4, 0xa3, kC)), Step::Next);
  EXPECT_TRUE(cpu_.arithmetic_flags() & rflags::CF);
  Insn in = memory_insn(Form::MI, 2, 0xba, 0);
  in.imm = 20;  // an immediate offset stays inside the operand
  EXPECT_EQ(run(ZYDIS_MNEMONIC_BTC, in), Step::Next);
  EXPECT_EQ(get<u16>(0x1000), 16);
}

TEST_F(IntegerMemory, ReadModifyWrite) {
  put<u32>(0x1000, 0x80000001);
  Insn in = memory_insn(Form::MI, 4, 0xd1, 0);
  run(ZYDIS_MNEMONIC_ROL, in);
  EXPECT_EQ(get<u32>(0x1000), 3u);
  cpu_.r[RCX] = 9;
  run(ZYDIS_MNEMONIC_XADD, memory_insn(Form::MR, 4, 0xc1, kC));
  EXPECT_EQ(get<u32>(0x1000), 12u);
  EXPECT_EQ(cpu_.r[RCX], 3u);
  put<u64>(0x1000, u64{2} << 32 | 1);
  load(cpu_, {1, 3, 4, 2, 0});
  run(ZYDIS_MNEMONIC_CMPXCHG8B, memory_insn(Form::M, 4, 0xc7, 0));
  EXPECT_EQ(get<u64>(0x1000), u64{4} << 32 | 3);
  EXPECT_TRUE(cpu_.arithmetic_flags() & rflags::ZF);
}

TEST_F(IntegerMemory, PopComputesAddressBehindTheIncrement) {
  cpu_.r[RSP] = 0x1000;
  put<u32>(0x1000, 0x77);
  Insn in = memory_insn(Form::M, 4, 0x8f, 0, 8);
  in.base = RSP * 8;
  EXPECT_EQ(run(ZYDIS_MNEMONIC_POP, in), Step::Next);
  EXPECT_EQ(get<u32>(0x100c), 0x77u);
  EXPECT_EQ(cpu_.r[RSP], 0x1004u);
  set_segments(0x1fff);
  in.disp = 0x5000;
  EXPECT_EQ(run(ZYDIS_MNEMONIC_POP, in), Step::Fault);
  EXPECT_EQ(cpu_.r[RSP], 0x1004u);
}

TEST_F(IntegerMemory, PushAllAndBack) {
  for (u8 i = 0; i < 8; ++i) cpu_.r[i] = 0x100u + i;
  cpu_.r[RSP] = 0x2000;
  EXPECT_EQ(run(ZYDIS_MNEMONIC_PUSHAD, sized(4)), Step::Next);
  EXPECT_EQ(get<u32>(0x1ffc), 0x100u);
  EXPECT_EQ(get<u32>(0x1fec), 0x2000u);
  EXPECT_EQ(get<u32>(0x1fe0), 0x107u);
  for (u8 i = 0; i < 8; ++i) cpu_.r[i] = i == RSP ? cpu_.r[RSP] : 0;
  EXPECT_EQ(run(ZYDIS_MNEMONIC_POPAD, sized(4)), Step::Next);
  for (u8 i = 0; i < 8; ++i) EXPECT_EQ(cpu_.r[i], i == RSP ? 0x2000u : 0x100u + i);
}

TEST_F(IntegerMemory, EnterBuildsTheDisplayAndLeaveUndoesIt) {
  cpu_.r[RSP] = 0x2000;
  cpu_.r[RBP] = 0x3000;
  put<u32>(0x2ffc, 0xaaa);
  Insn in = sized(4);
  in.imm = 0x20;
  in.disp = 2;
  EXPECT_EQ(run(ZYDIS_MNEMONIC_ENTER, in), Step::Next);
  EXPECT_EQ(cpu_.r[RBP], 0x1ffcu);
  EXPECT_EQ(get<u32>(0x1ff8), 0xaaau);
  EXPECT_EQ(get<u32>(0x1ff4), 0x1ffcu);
  EXPECT_EQ(cpu_.r[RSP], 0x1fd4u);
  EXPECT_EQ(run(ZYDIS_MNEMONIC_LEAVE, sized(4)), Step::Next);
  EXPECT_EQ(cpu_.r[RBP], 0x3000u);
  EXPECT_EQ(cpu_.r[RSP], 0x2000u);
}

TEST_F(IntegerMemory, FlagsInVirtual8086ModeGoThroughVif) {
  cpu_.set_flags(rflags::Fixed1 | rflags::VM | rflags::VIF);
  set_segments(0xffff);
  cpu_.r[RSP] = 0x2000;
  EXPECT_EQ(run(ZYDIS_MNEMONIC_PUSHF, sized(2)), Step::Fault);
  EXPECT_EQ(cpu_.fault.vector, static_cast<u8>(Vector::GP));
  cpu_.cr4 |= cr4::VME;
  EXPECT_EQ(run(ZYDIS_MNEMONIC_PUSHF, sized(2)), Step::Next);
  EXPECT_EQ(get<u16>(0x1ffe), 0x3202);
  put<u16>(0x1ffe, 1);
  EXPECT_EQ(run(ZYDIS_MNEMONIC_POPF, sized(2)), Step::EndBlock);
  EXPECT_EQ(cpu_.flags(), rflags::Fixed1 | rflags::VM | rflags::CF);
  cpu_.set_flags(cpu_.flags() | rflags::VIP);
  cpu_.r[RSP] = 0x1ffe;
  put<u16>(0x1ffe, 0x200);
  EXPECT_EQ(run(ZYDIS_MNEMONIC_POPF, sized(2)), Step::Fault);
  EXPECT_EQ(cpu_.r[RSP], 0x1ffeu);
}

TEST_F(IntegerMemory, PopfAtUserLevelKeepsIfAndIopl) {
  Segment ss = cpu_.seg[2];
  Segment cs = cpu_.seg[1];
  ss.rights |= seg_rights::DplMask;
  cs.rights |= seg_rights::DplMask;
  cs.selector = ss.selector = 3;
  cpu_.set_segment(Seg::CS, cs);
  cpu_.set_segment(Seg::SS, ss);
  ASSERT_EQ(cpu_.cpl(), 3u);
  cpu_.set_flags(rflags::Fixed1 | rflags::IF);
  cpu_.r[RSP] = 0x2000;
  put<u32>(0x2000, static_cast<u32>(rflags::IOPL | rflags::CF));
  run(ZYDIS_MNEMONIC_POPFD, sized(4));
  EXPECT_EQ(cpu_.flags(), rflags::Fixed1 | rflags::IF | rflags::CF);
}

}  // namespace
}  // namespace softvt::test
