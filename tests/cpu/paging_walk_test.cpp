#include "cpu/paging/walk.h"

#include <gtest/gtest.h>

#include "cpu/phys_memory.h"

namespace softvt {
namespace {

constexpr u64 kP = 1, kRw = 2, kUs = 4, kA = 0x20, kD = 0x40, kPs = 0x80, kG = 0x100;
constexpr u64 kNx = u64{1} << 63;
constexpr u64 kAll = kP | kRw | kUs;
constexpr u64 kPml5 = 0x1000, kPml4 = 0x2000, kPdpt = 0x3000, kPd = 0x4000, kPt = 0x5000;
constexpr u64 kLinear = 0x123456789;  // indices: 0, 4, 0x11a, 0x56
constexpr u64 kPage = 0x77000;

class PagingWalk : public ::testing::Test {
 protected:
  PagingWalk() {
    mem.add_ram(0, 0x100000);
    cpu.mem = &mem;
    cpu.phys_bits = 46;
    cpu.cr0 = cr0::PE | cr0::PG | cr0::WP;
    cpu.features.set(Feature::Page1Gb);
    cpu.features.set(Feature::Pse36);
  }

  void put(u64 table, u64 index, u64 entry) { mem.write(table + index * 8, &entry, 8); }
  u64 get(u64 table, u64 index) {
    u64 entry = 0;
    mem.read(table + index * 8, &entry, 8);
    return entry;
  }
  void put4(u64 table, u64 index, u32 entry) { mem.write(table + index * 4, &entry, 4); }
  u32 get4(u64 table, u64 index) {
    u32 entry = 0;
    mem.read(table + index * 4, &entry, 4);
    return entry;
  }

  void four_level(u64 leaf) {
    cpu.cr4 = cr4::PAE;
    cpu.efer = efer::LME | efer::LMA | efer::NXE;
    cpu.cr3 = kPml4;
    put(kPml4, 0, kPdpt | kAll);
    put(kPdpt, 4, kPd | kAll);
    put(kPd, 0x11a, kPt | kAll);
    put(kPt, 0x56, leaf);
  }

  // -1: success, else the error code.
  int access(const WalkAccess& a, u64 linear = kLinear) {
    cpu.fault_pending = false;
    if (walk(cpu, linear, a, m)) {
      EXPECT_FALSE(cpu.fault_pending);
      return -1;
    }
    EXPECT_TRUE(cpu.fault_pending);
    EXPECT_EQ(cpu.fault.vector, 14);
    EXPECT_EQ(cpu.fault.cr2, linear);
    return static_cast<int>(cpu.fault.error);
  }

  const WalkAccess kRead{}, kWrite{.write = true}, kFetch{.fetch = true};
  const WalkAccess kUserRead{.user = true}, kUserWrite{.write = true, .user = true};
  const WalkAccess kUserFetch{.fetch = true, .user = true};
  PhysMemory mem;
  Cpu cpu;
  Mapping m;
};

TEST_F(PagingWalk, WithoutPagingLinearIsPhysical) {
  cpu.cr0 = cr0::PE;
  EXPECT_EQ(access(kUserWrite, 0x12345), -1);
  EXPECT_EQ(m.pa, 0x12000u);
  EXPECT_TRUE(m.dirty && m.user && m.writable);
}

TEST_F(PagingWalk, FourLevelSetsAccessedAndDirtyOnce) {
  four_level(kPage | kAll | kG);
  EXPECT_EQ(access(kUserRead), -1);
  EXPECT_EQ(m.pa, kPage);
  EXPECT_EQ(m.size_mask, 0xfffu);
  EXPECT_FALSE(m.dirty);
  EXPECT_EQ(get(kPml4, 0), kPdpt | kAll | kA);
  EXPECT_EQ(get(kPdpt, 4), kPd | kAll | kA);
  EXPECT_EQ(get(kPd, 0x11a), kPt | kAll | kA);
  EXPECT_EQ(get(kPt, 0x56), kPage | kAll | kG | kA);
  EXPECT_EQ(access(kUserWrite), -1);
  EXPECT_TRUE(m.dirty);
  EXPECT_EQ(get(kPt, 0x56), kPage | kAll | kG | kA | kD);
  EXPECT_FALSE(m.global);
  cpu.cr4 |= cr4::PGE;
  EXPECT_EQ(access(kRead), -1);
  EXPECT_TRUE(m.global);
}

TEST_F(PagingWalk, FaultsLeaveTheTablesAlone) {
  four_level(kPage | kP | kUs);
  EXPECT_EQ(access(kUserWrite), int(pf::P | pf::W | pf::U));
  EXPECT_EQ(get(kPml4, 0), kPdpt | kAll);
  EXPECT_EQ(get(kPt, 0x56), kPage | kP | kUs);
}

TEST_F(PagingWalk, NotPresentGivesErrorCodeWithoutP) {
  four_level(0);
  EXPECT_EQ(access(kRead), 0);
  EXPECT_EQ(access(kWrite), int(pf::W));
  EXPECT_EQ(access(kUserFetch), int(pf::U | pf::I));
  cpu.efer &= ~efer::NXE;
  EXPECT_EQ(access(kUserFetch), int(pf::U));
  cpu.cr4 |= cr4::SMEP;
  EXPECT_EQ(access(kUserFetch), int(pf::U | pf::I));
}

TEST_F(PagingWalk, WriteProtectionOfSupervisor) {
  four_level(kPage | kP);
  EXPECT_EQ(access(kWrite), int(pf::P | pf::W));
  cpu.cr0 &= ~cr0::WP;
  EXPECT_EQ(access(kWrite), -1);
  EXPECT_FALSE(m.writable);
  EXPECT_TRUE(allowed(cpu, m, kWrite));
  EXPECT_EQ(access(kUserRead), int(pf::P | pf::U));
}

TEST_F(PagingWalk, RightsOfEveryLevelCount) {
  four_level(kPage | kAll);
  put(kPdpt, 4, kPd | kP | kUs);
  EXPECT_EQ(access(kWrite), int(pf::P | pf::W));
  put(kPdpt, 4, kPd | kP | kRw);
  EXPECT_EQ(access(kUserRead), int(pf::P | pf::U));
  put(kPdpt, 4, kPd | kAll | kNx);
  EXPECT_EQ(access(kFetch), int(pf::P | pf::I));
}

TEST_F(PagingWalk, SmepAndSmap) {
  four_level(kPage | kAll);
  cpu.cr4 |= cr4::SMEP | cr4::SMAP;
  EXPECT_EQ(access(kFetch), int(pf::P | pf::I));
  EXPECT_EQ(access(kUserFetch), -1);
  EXPECT_EQ(access(kRead), int(pf::P));
  EXPECT_EQ(access(kUserRead), -1);
  cpu.rflags_rest |= rflags::AC;
  EXPECT_EQ(access(kRead), -1);
  EXPECT_EQ(access(kWrite), -1);
  EXPECT_EQ(access({.implicit = true}), int(pf::P));
  u64 pa = 0;
  cpu.rflags_rest &= ~rflags::AC;
  EXPECT_TRUE(peek(cpu, kLinear, pa));
  EXPECT_EQ(pa, kPage | (kLinear & 0xfff));
}

TEST_F(PagingWalk, ReservedBits) {
  four_level(kPage | kAll | u64{1} << 46);
  EXPECT_EQ(access(kRead), int(pf::P | pf::RSVD));
  four_level(kPage | kAll | u64{1} << 52);  // ignored above bit 51
  EXPECT_EQ(access(kRead), -1);
  four_level(kPage | kAll | kNx);
  cpu.efer &= ~efer::NXE;
  EXPECT_EQ(access(kRead), int(pf::P | pf::RSVD));
  four_level(kPage | kAll);
  put(kPml4, 0, kPdpt | kAll | kPs);
  EXPECT_EQ(access(kUserWrite), int(pf::P | pf::RSVD | pf::W | pf::U));
}

TEST_F(PagingWalk, LargePages) {
  four_level(0);
  put(kPd, 0x11a, 0x40000000 | kAll | kPs);
  EXPECT_EQ(access(kWrite), -1);
  EXPECT_EQ(m.size_mask, 0x1fffffu);
  EXPECT_EQ(m.pa, 0x40000000 + (kLinear & 0x1ff000));
  EXPECT_EQ(get(kPd, 0x11a), 0x40000000 | kAll | kPs | kA | kD);
  put(kPd, 0x11a, 0x40002000 | kAll | kPs);
  EXPECT_EQ(access(kRead), int(pf::P | pf::RSVD));
  put(kPdpt, 4, u64{0x1c0000000} | kAll | kPs);
  EXPECT_EQ(access(kRead), -1);
  EXPECT_EQ(m.pa, 0x1c0000000 + (kLinear & 0x3ffff000));
  cpu.features.set(Feature::Page1Gb, false);
  EXPECT_EQ(access(kRead), int(pf::P | pf::RSVD));
}

TEST_F(PagingWalk, FiveLevel) {
  four_level(kPage | kAll);
  cpu.cr4 |= cr4::LA57;
  cpu.cr3 = kPml5;
  put(kPml5, 3, kPml4 | kAll);
  EXPECT_EQ(access(kRead, kLinear), 0);
  EXPECT_EQ(access(kRead, kLinear | u64{3} << 48), -1);
  EXPECT_EQ(m.pa, kPage);
}

TEST_F(PagingWalk, ProtectionKeys) {
  four_level(kPage | kAll | u64{5} << 59);
  cpu.cr4 |= cr4::PKE;
  cpu.pkru = 1u << 10;
  EXPECT_EQ(access(kUserRead), int(pf::P | pf::U | pf::PK));
  EXPECT_EQ(access(kRead), int(pf::P | pf::PK));
  EXPECT_EQ(access(kUserFetch), -1);
  cpu.pkru = 2u << 10;
  EXPECT_EQ(access(kUserRead), -1);
  EXPECT_EQ(m.pkey, 5);
  EXPECT_FALSE(allowed(cpu, m, kUserWrite));
  EXPECT_EQ(access(kUserWrite), int(pf::P | pf::U | pf::W | pf::PK));
  EXPECT_EQ(access(kWrite), int(pf::P | pf::W | pf::PK));
  cpu.cr0 &= ~cr0::WP;
  EXPECT_EQ(access(kWrite), -1);
}

TEST_F(PagingWalk, SupervisorProtectionKeys) {
  four_level(kPage | kP | kRw | u64{1} << 59);
  cpu.cr4 |= cr4::PKS;
  cpu.pkru = ~0u;
  EXPECT_EQ(access(kWrite), -1);
  cpu.pkrs = 2u << 2;
  EXPECT_EQ(access(kWrite), int(pf::P | pf::W | pf::PK));
}

TEST_F(PagingWalk, ThirtyTwoBit) {
  cpu.cr4 = cr4::PSE;
  cpu.cr3 = kPd;
  constexpr u64 linear = 0xc0123456;
  put4(kPd, linear >> 22, kPt | kAll);
  put4(kPt, (linear >> 12) & 0x3ff, kPage | kAll);
  EXPECT_EQ(access(kUserWrite, linear), -1);
  EXPECT_EQ(m.pa, kPage);
  EXPECT_EQ(get4(kPd, linear >> 22), kPt | kAll | kA);
  EXPECT_EQ(get4(kPt, (linear >> 12) & 0x3ff), kPage | kAll | kA | kD);
  put4(kPd, linear >> 22, 0x00400000 | kAll | kPs | 3 << 13);  // bits 33:32 of the address
  EXPECT_EQ(access(kRead, linear), -1);
  EXPECT_EQ(m.pa, 0x300400000 + (linear & 0x3ff000));
  put4(kPd, linear >> 22, 0x00400000 | kAll | kPs | 1 << 21);
  EXPECT_EQ(access(kRead, linear), int(pf::P | pf::RSVD));
  cpu.phys_bits = 36;
  put4(kPd, linear >> 22, 0x00400000 | kAll | kPs | 1 << 17);
  EXPECT_EQ(access(kRead, linear), int(pf::P | pf::RSVD));
  EXPECT_EQ(access(kFetch, linear), int(pf::P | pf::RSVD));
}

TEST_F(PagingWalk, Pae) {
  cpu.cr4 = cr4::PAE;
  cpu.cr3 = kPdpt + 0x20;
  constexpr u64 linear = 0xc0403000;
  put(kPdpt + 0x20, 3, kPd | kP);
  put(kPd, 2, kPt | kAll);
  put(kPt, 3, kPage | kAll);
  EXPECT_TRUE(load_pdptes(cpu, cpu.cr3));
  EXPECT_EQ(access(kUserWrite, linear), -1);
  EXPECT_EQ(m.pa, kPage);
  EXPECT_EQ(get(kPdpt + 0x20, 3), kPd | kP);
  put(kPt, 3, kPage | kAll | u64{1} << 52);  // reserved here, unlike in 4-level paging
  EXPECT_EQ(access(kRead, linear), int(pf::P | pf::RSVD));
  EXPECT_EQ(access(kRead, 0), 0);
  put(kPdpt + 0x20, 0, kPd | kP | kRw);
  EXPECT_FALSE(load_pdptes(cpu, cpu.cr3));
  EXPECT_FALSE(load_pdptes(cpu, 0x80000000));  // not RAM: reads all ones
}

TEST_F(PagingWalk, TablesOutsideRamReadAllOnes) {
  four_level(kPage | kAll);
  cpu.cr3 = 0x10000000;
  EXPECT_EQ(access(kRead), int(pf::P | pf::RSVD));
}

// A second stage that adds an offset to every address.
class OffsetStage : public VirtExtension {
 public:
  static constexpr u64 kOffset = 0x80000;
  bool intercept(Cpu&, const Insn&, Intercept, u64, u64) override { return false; }
  bool exception(Cpu&, Event&, const Event*) override { return false; }
  bool triple_fault(Cpu&) override { return false; }
  bool boundary(Cpu&) override { return false; }
  bool external(Cpu&, External, u8) override { return false; }
  void take_second_stage_exit(Cpu&, const Event*) override {}
  bool interrupts_allowed(const Cpu&) const override { return false; }
  bool wakes(const Cpu&) const override { return false; }
  bool second_stage_active(const Cpu&) const override { return true; }
  bool translate(Cpu&, u64 gpa, const GpaAccess& access, SecondStage& out) override {
    last = access;
    last_gpa = gpa;
    if (access.table_walk) ++table_accesses;
    if ((gpa & ~kPageMask) == refused) return false;
    if (access.write && (gpa & ~kPageMask) == read_only) return false;
    out = {.host_pa = (gpa + kOffset) & ~kPageMask,
           .page_mask = 0xfff,
           .readable = true,
           .writable = (gpa & ~kPageMask) != read_only,
           .user_exec = false,
           .super_exec = true};
    return true;
  }
  u64 refused = 1, read_only = 1, last_gpa = 0;
  unsigned table_accesses = 0;
  GpaAccess last{};
};

class NestedWalk : public PagingWalk {
 protected:
  NestedWalk() {
    four_level(0);
    put(kPml4 + OffsetStage::kOffset, 0, kPdpt | kAll);
    put(kPdpt + OffsetStage::kOffset, 4, kPd | kAll);
    put(kPd + OffsetStage::kOffset, 0x11a, kPt | kAll);
    put(kPt + OffsetStage::kOffset, 0x56, 0x9000 | kAll);
    cpu.guest_mode = true;
    cpu.virt = &stage;
  }
  OffsetStage stage;
};

TEST_F(NestedWalk, BothStagesAreCombined) {
  EXPECT_EQ(access(kUserRead), -1);
  EXPECT_EQ(m.gpa, 0x9000u);
  EXPECT_EQ(m.pa, 0x9000 + OffsetStage::kOffset);
  EXPECT_FALSE(m.execute);
  EXPECT_EQ(stage.table_accesses, 8u);  // four reads, four that set A
  stage.table_accesses = 0;
  EXPECT_EQ(access(kUserRead), -1);
  EXPECT_EQ(stage.table_accesses, 4u);
}

TEST_F(NestedWalk, RefusalPostsTheSecondStageExit) {
  stage.refused = 0x9000;
  EXPECT_FALSE(walk(cpu, kLinear, kWrite, m));
  EXPECT_TRUE(cpu.second_stage_pending);
  EXPECT_FALSE(cpu.fault_pending);
  EXPECT_EQ(stage.last_gpa, 0x9000 | (kLinear & 0xfff));
  EXPECT_TRUE(stage.last.write);
  EXPECT_EQ(get(kPt + OffsetStage::kOffset, 0x56), 0x9000 | kAll);
}

TEST_F(NestedWalk, SettingAccessedNeedsAWritableTable) {
  stage.read_only = kPd;
  EXPECT_FALSE(walk(cpu, kLinear, kRead, m));
  EXPECT_TRUE(cpu.second_stage_pending);
  EXPECT_TRUE(stage.last.table_walk && stage.last.write);
}

TEST_F(NestedWalk, ClearedWpDoesNotLiftTheSecondStage) {
  cpu.cr0 &= ~cr0::WP;
  stage.read_only = 0x9000;
  EXPECT_TRUE(walk(cpu, kLinear, kRead, m));
  EXPECT_FALSE(allowed(cpu, m, kWrite));
  EXPECT_FALSE(walk(cpu, kLinear, kWrite, m));
}

}  // namespace
}  // namespace softvt
