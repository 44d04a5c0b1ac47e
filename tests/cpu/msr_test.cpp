#include "cpu/msr/msr_table.h"

#include <gtest/gtest.h>

#include "cpu/core/tlb.h"
#include "cpu/cpu.h"
#include "cpu/cpuid/model.h"
#include "cpu/timeline.h"

namespace softvt {
namespace {

struct Machine {
  explicit Machine(std::string_view name) {
    cpu.tlbs = &tlbs;
    cpu.timeline = &timeline;
    table.add(core_msr_rows());
    cpu.msrs = &table;
    apply_model(cpu, *find_model(name));
    cpu.update_mode();
  }
  bool write(u32 index, u64 value) { return table.write(cpu, index, value); }
  bool exists(u32 index) {
    u64 value;
    return table.read(cpu, index, value);
  }
  u64 read(u32 index) {
    u64 value = 0;
    EXPECT_TRUE(table.read(cpu, index, value)) << std::hex << index;
    return value;
  }
  TlbPool tlbs;
  Timeline timeline;
  MsrTable table;
  Cpu cpu;
};

constexpr u64 kNotCanonical = u64{1} << 56;

TEST(Msr, RowsDoNotOverlap) {
  const auto rows = core_msr_rows();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_LE(rows[i].first, rows[i].last);
    EXPECT_TRUE(rows[i].read || rows[i].write);
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_TRUE(rows[i].first > rows[j].last || rows[i].last < rows[j].first)
          << rows[i].name << " " << rows[j].name;
  }
}

TEST(Msr, UnknownAndForeignOnesDoNotExist) {
  Machine intel("max-intel"), amd("max-amd");
  EXPECT_FALSE(intel.exists(0xdead));
  EXPECT_FALSE(intel.write(0xdead, 0));
  EXPECT_FALSE(intel.exists(0xc0010015));
  EXPECT_FALSE(amd.exists(0x1a0));
  EXPECT_FALSE(amd.exists(0x3a));
  EXPECT_FALSE(Machine("nehalem").exists(0x3b));
  EXPECT_FALSE(Machine("nehalem").exists(0x10a));
}

TEST(Msr, EferChecks) {
  Machine m("max-intel");
  EXPECT_TRUE(m.write(0xc0000080, efer::SCE | efer::LME | efer::NXE));
  EXPECT_FALSE(m.write(0xc0000080, efer::SVME));
  EXPECT_FALSE(m.cpu.fault_pending);
  EXPECT_FALSE(m.write(0xc0000080, 2));
  m.cpu.cr0 |= cr0::PG;
  EXPECT_FALSE(m.write(0xc0000080, efer::SCE));
  Machine amd("max-amd");
  EXPECT_TRUE(amd.write(0xc0000080, efer::SVME));
}

TEST(Msr, AddressesAreCanonical) {
  Machine m("max-intel");
  for (u32 index : {0xc0000082u, 0xc0000083u, 0xc0000100u, 0xc0000101u, 0xc0000102u, 0x175u}) {
    EXPECT_TRUE(m.write(index, 0xffff800000001234)) << std::hex << index;
    EXPECT_EQ(m.read(index), 0xffff800000001234);
    EXPECT_FALSE(m.write(index, kNotCanonical)) << std::hex << index;
  }
  EXPECT_EQ(m.cpu.seg[4].base, 0xffff800000001234);
}

TEST(Msr, PatAndMtrrTypes) {
  Machine m("max-intel");
  EXPECT_EQ(m.read(0x277), 0x0007040600070406u);
  EXPECT_TRUE(m.write(0x277, 0x0007010600070106));
  EXPECT_FALSE(m.write(0x277, 0x0007010600070206));
  EXPECT_FALSE(m.write(0x277, 0x0807010600070106));
  EXPECT_EQ(m.read(0xfe) & 0xff, 8u);
  EXPECT_TRUE(m.write(0x2ff, 0xc06));
  EXPECT_FALSE(m.write(0x2ff, 0xc02));
  EXPECT_FALSE(m.write(0x2ff, 0x1c06));
  EXPECT_TRUE(m.write(0x200, 0x80000006));
  EXPECT_FALSE(m.write(0x200, 0x80000007));
  EXPECT_FALSE(m.write(0x200, u64{1} << 46));
  EXPECT_TRUE(m.write(0x20f, (u64{1} << 46) - 0x1000 + 0x800));
  EXPECT_FALSE(m.exists(0x210));
  EXPECT_TRUE(m.write(0x250, 0x0606060606060606));
  EXPECT_FALSE(m.write(0x250, 0x0706060606060606));
  EXPECT_TRUE(m.write(0x26f, 0x0505050505050505));
  EXPECT_EQ(m.read(0x26f), 0x0505050505050505u);
  EXPECT_EQ(m.cpu.msr.mtrr_fixed[10], 0x0505050505050505u);
}

TEST(Msr, TscAdjustFollowsTsc) {
  Machine m("max-intel");
  m.timeline.set_now(1000);
  EXPECT_TRUE(m.write(0x10, 10'000));
  EXPECT_EQ(m.cpu.tsc_offset, 8000);
  EXPECT_EQ(m.read(0x3b), 8000u);
  EXPECT_TRUE(m.write(0x3b, 0));
  EXPECT_EQ(m.cpu.tsc_offset, 0);
}

TEST(Msr, FeatureControlLocks) {
  Machine m("max-intel");
  EXPECT_EQ(m.read(0x3a), 0u);
  EXPECT_FALSE(m.write(0x3a, 2));
  EXPECT_TRUE(m.write(0x3a, 5));
  EXPECT_FALSE(m.write(0x3a, 5));
}

TEST(Msr, TscAux) {
  EXPECT_FALSE(Machine("max-intel").write(0xc0000103, u64{1} << 32));
  EXPECT_TRUE(Machine("max-amd").write(0xc0000103, u64{1} << 32));
}

TEST(Msr, MicrocodeRevision) {
  EXPECT_EQ(Machine("nehalem").read(0x8b), u64{0x1d} << 32);
  EXPECT_EQ(Machine("epyc").read(0x8b), 0x0800126eu);
}

TEST(Msr, MachineCheckBanks) {
  Machine m("max-amd");
  EXPECT_EQ(m.read(0x179) & 0xff, 2u);
  EXPECT_TRUE(m.write(0x400, ~u64{0}));
  EXPECT_TRUE(m.write(0x401, 0));
  EXPECT_FALSE(m.write(0x405, 1));
  EXPECT_FALSE(m.exists(0x408));
  EXPECT_TRUE(m.write(0x17b, ~u64{0}));
  EXPECT_FALSE(m.write(0x17b, 1));
}

TEST(Msr, VmCrLocks) {
  Machine m("max-amd");
  EXPECT_TRUE(m.write(0xc0010114, 1 << 4));
  EXPECT_FALSE(m.write(0xc0000080, efer::SVME));
  EXPECT_TRUE(m.write(0xc0010114, 0));
  EXPECT_TRUE(m.write(0xc0000080, efer::SVME));
  EXPECT_FALSE(m.write(0xc0010114, 1 << 4));
  EXPECT_TRUE(m.write(0xc0010114, 1 << 3));
  EXPECT_TRUE(m.write(0xc0010114, 0));
  EXPECT_EQ(m.read(0xc0010114), u64{1 << 3});
  EXPECT_FALSE(m.write(0xc0010117, 0x123));
  EXPECT_FALSE(m.write(0xc0010117, u64{1} << 48));
  EXPECT_TRUE(m.write(0xc0010117, 0x5000));
}

// What Linux reads without handling a #GP.
TEST(Msr, LinuxReads) {
  Machine intel("skylake-server"), amd("epyc");
  for (u32 index : {0x8bu, 0x17u, 0x1a0u, 0xfeu, 0x2ffu, 0x277u, 0x179u, 0x1d9u, 0xceu})
    EXPECT_TRUE(intel.exists(index)) << std::hex << index;
  EXPECT_EQ(intel.read(0x1a0) & 1, 1u);
  for (u32 index : {0x8bu, 0xc0010015u, 0xc0010010u, 0xc001001au, 0xc001001du, 0xc001001fu,
                    0xc0010058u, 0xc0011029u, 0xc0010055u, 0xc0010000u})
    EXPECT_TRUE(amd.exists(index)) << std::hex << index;
  EXPECT_TRUE(amd.read(0xc0010015) >> 24 & 1);
}

// Addresses in MSRs may have the bits that LA57 would use, whether or not CR4 has it on.
TEST(Msr, AddressesHaveTheWidthOfTheProcessor) {
  constexpr u64 kWide = 0xff45454545000000;  // 57 bits
  for (const u32 index : {0xc0000082u, 0xc0000083u, 0xc0000100u, 0xc0000101u, 0xc0000102u}) {
    Machine wide("max-intel");
    ASSERT_EQ(wide.cpu.cr4 & cr4::LA57, 0u);
    EXPECT_TRUE(wide.write(index, kWide)) << std::hex << index;
    EXPECT_EQ(wide.read(index), kWide);
    Machine narrow("nehalem");
    EXPECT_FALSE(narrow.write(index, kWide)) << std::hex << index;
  }
}

TEST(Msr, XdDisableTakesNxAway) {
  Machine m("max-intel");
  constexpr u64 kXdDisable = u64{1} << 34;
  ASSERT_TRUE(m.write(0xc0000080, efer::NXE));
  const u64 before = m.read(0x1a0);
  EXPECT_TRUE(m.write(0x1a0, before | kXdDisable | 1 << 23 | 1 << 3));
  EXPECT_EQ(m.read(0x1a0), before | kXdDisable | 1 << 23 | 1 << 3);
  EXPECT_FALSE(m.cpu.has(Feature::Nx));
  EXPECT_EQ(m.read(0xc0000080) & efer::NXE, 0u);
  EXPECT_FALSE(m.write(0xc0000080, efer::NXE));
  EXPECT_TRUE(m.write(0x1a0, before));
  EXPECT_TRUE(m.write(0xc0000080, efer::NXE));
}

}  // namespace
}  // namespace softvt
