#include "cpu/cpuid/cpuid.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <tuple>

#include "cpu/apic/apic_timer.h"
#include "cpu/cpuid/feature_table.h"
#include "cpu/cpuid/model.h"

namespace softvt {
namespace {

struct Machine {
  explicit Machine(std::string_view name, u32 count = 1, u32 index = 0) {
    apply_model(cpu, *find_model(name));
    cpu.count = count;
    cpu.index = index;
  }
  CpuidResult at(u32 leaf, u32 sub = 0) const { return cpuid(cpu, leaf, sub); }
  Cpu cpu;
};

TEST(Cpuid, EveryFeatureHasOneRowAndEveryRowItsOwnBit) {
  std::set<Feature> features;
  std::set<std::string_view> names;
  std::set<std::tuple<u32, u32, CpuidRegister, u8>> places;
  for (const FeatureRow& row : feature_rows()) {
    EXPECT_TRUE(features.insert(row.feature).second) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(places.insert({row.leaf, row.subleaf, row.reg, row.bit}).second) << row.name;
    EXPECT_EQ(find_feature(row.name), row.feature);
  }
  // None has no bit; Ospke follows CR4.PKE.
  EXPECT_EQ(features.size(), kFeatureCount - 2);
}

TEST(Cpuid, ModelsAreFound) {
  for (const CpuModel& model : cpu_models()) {
    EXPECT_EQ(find_model(model.name), &model);
    EXPECT_LT(model.brand.size(), 48u);
  }
  EXPECT_EQ(find_model("no-such-model"), nullptr);
}

TEST(Cpuid, VendorAndSignature) {
  const CpuidResult intel = Machine("max-intel").at(0);
  EXPECT_EQ(intel.ebx, 0x756e6547u);
  EXPECT_EQ(intel.edx, 0x49656e69u);
  EXPECT_EQ(intel.ecx, 0x6c65746eu);
  EXPECT_EQ(Machine("skylake-server").at(1).eax, 0x00050654u);
  EXPECT_EQ(Machine("nehalem").at(1).eax, 0x000106a5u);
  EXPECT_EQ(Machine("epyc").at(1).eax, 0x00800f12u);
  EXPECT_EQ(Machine("max-amd").at(0x80000000).ebx, 0x68747541u);
}

TEST(Cpuid, BrandString) {
  Machine m("epyc");
  char text[49] = {};
  for (u32 i = 0; i < 3; ++i) {
    const CpuidResult r = m.at(0x80000002 + i);
    std::memcpy(text + 16 * i, &r, 16);
  }
  EXPECT_STREQ(text, "softvt processor (EPYC)");
}

TEST(Cpuid, DynamicBits) {
  Machine m("max-intel");
  EXPECT_EQ(m.at(1).ecx >> 27 & 1, 0u);
  EXPECT_EQ(m.at(7).ecx >> 4 & 1, 0u);
  m.cpu.cr4 = cr4::OSXSAVE | cr4::PKE;
  EXPECT_EQ(m.at(1).ecx >> 27 & 1, 1u);
  EXPECT_EQ(m.at(7).ecx >> 4 & 1, 1u);
}

TEST(Cpuid, XsaveSizesFollowXcr0) {
  Machine m("max-intel");
  m.cpu.xcr0 = 3;
  EXPECT_EQ(m.at(0xd).eax, 0x203u);
  EXPECT_EQ(m.at(0xd).ebx, 576u);
  EXPECT_EQ(m.at(0xd).ecx, 2696u);
  m.cpu.xcr0 = 0x203;
  EXPECT_EQ(m.at(0xd).ebx, 2696u);
  EXPECT_EQ(m.at(0xd, 1).ebx, 584u);
  EXPECT_EQ(m.at(0xd, 9).eax, 8u);
  EXPECT_EQ(m.at(0xd, 9).ebx, 2688u);
  EXPECT_EQ(m.at(0xd, 2), CpuidResult{});
  EXPECT_EQ(Machine("epyc").at(0xd).eax, 3u);
}

TEST(Cpuid, TscFrequency) {
  const CpuidResult r = Machine("skylake-server").at(0x15);
  EXPECT_EQ(u64{r.ecx} * r.ebx / r.eax, kTscKhz * 1000);
  EXPECT_EQ(r.ecx, kApicBusKhz * 1000);
  EXPECT_EQ(Machine("skylake-server").at(0x16).eax, 2000u);
}

TEST(Cpuid, TopologyOfSeveralProcessors) {
  Machine m("max-intel", 3, 2);
  EXPECT_EQ(m.at(1).ebx >> 24, 2u);
  EXPECT_EQ(m.at(1).ebx >> 16 & 0xff, 4u);
  EXPECT_EQ(m.at(1).edx >> 28 & 1, 1u);
  EXPECT_EQ(m.at(0xb, 0), (CpuidResult{0, 1, 0x100, 2}));
  EXPECT_EQ(m.at(0xb, 1), (CpuidResult{2, 3, 0x201, 2}));
  EXPECT_EQ(m.at(0xb, 2), (CpuidResult{0, 0, 2, 2}));
  EXPECT_EQ(m.at(0x1f, 1), m.at(0xb, 1));
  EXPECT_EQ(m.at(4, 0).eax >> 26, 3u);
  EXPECT_EQ(Machine("max-intel").at(1).edx >> 28 & 1, 0u);
  Machine amd("max-amd", 3, 2);
  EXPECT_EQ(amd.at(0x80000008).ecx, 2u | 2 << 12);
  EXPECT_EQ(amd.at(0x8000001e).eax, 2u);
}

TEST(Cpuid, CacheLeavesMultiplyToTheSize) {
  for (const char* name : {"max-intel", "nehalem", "max-amd", "epyc"}) {
    Machine m(name);
    const bool amd = !m.cpu.intel;
    for (u32 i = 0; i < 4; ++i) {
      const CpuidResult r = m.at(amd ? 0x8000001d : 4, i);
      const u64 bytes = u64{(r.ebx >> 22) + 1} * ((r.ebx & 0xfff) + 1) * (u64{r.ecx} + 1);
      EXPECT_EQ(bytes, m.cpu.model->caches[i].kib * 1024u) << name << i;
    }
    EXPECT_EQ(m.at(amd ? 0x8000001d : 4, 4).eax & 0x1f, 0u);
  }
}

TEST(Cpuid, LeavesBeyondTheLast) {
  Machine intel("nehalem");
  EXPECT_EQ(intel.at(0x20, 1), intel.at(0xb, 1));
  EXPECT_EQ(intel.at(0x40000000), CpuidResult{});
  EXPECT_EQ(Machine("epyc").at(0x20), CpuidResult{});
}

TEST(Cpuid, AmdRepeatsLeafOne) {
  Machine m("max-amd");
  EXPECT_EQ(m.at(0x80000001).edx & 0x0183f3ff, m.at(1).edx & 0x0183f3ff);
  EXPECT_EQ(m.at(0x80000001).ecx >> 2 & 1, 1u);
  EXPECT_EQ(m.at(1).ecx >> 5 & 1, 0u);
  EXPECT_NE(m.at(0x8000000a).ebx, 0u);
  EXPECT_EQ(Machine("max-intel").at(0x80000001).ecx >> 2 & 1, 0u);
}

TEST(Cpuid, LimitOfLeavesForOldSystems) {
  Machine m("max-intel");
  m.cpu.msr.misc_enable |= 1 << 22;
  EXPECT_EQ(m.at(0).eax, 2u);
}

}  // namespace
}  // namespace softvt
