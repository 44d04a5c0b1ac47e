#include <gtest/gtest.h>

#include "tests/svm/svm_machine.h"

namespace softvt::svm {
namespace {

using test::kGuestCode;
using test::kGuestData;
using test::kHostTables;
using test::SvmMachine;

struct Nested : SvmMachine {
  Nested() {
    nested_paging();
    cpu.r[RDI] = kGuestData;
    code({0x48, 0x8b, 0x07, 0x48, 0x89, 0x07, 0x0f, 0x01, 0xd9});  // load, store, vmmcall
  }
  void change(u64 gpa, u64 clear, u64 set) {
    poke(nested_entry(gpa), (peek64(nested_entry(gpa)) & ~clear) | set);
  }
};

TEST(NestedPaging, GuestRunsAndSetsAccessedAndDirty) {
  Nested m;
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(m.peek64(m.nested_entry(kGuestData)) & 0x60, 0x60u);
  EXPECT_EQ(m.peek64(m.nested_entry(kGuestCode)) & 0x60, 0x20u) << "code is read only";
  EXPECT_EQ(m.peek64(m.nested_entry(kHostTables)) & 0x60, 0x60u) << "table walks count as writes";
  EXPECT_EQ(m.cpu.second_stage_tag, 0u);
}

TEST(NestedPaging, AnotherPageShowsThrough) {
  Nested m;
  m.poke(0x72000, 0x1122334455667788);
  m.poke(m.nested_entry(kGuestData), 0x72000 | 7);
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(m.vmcb().get<Field::Rax>(), 0x1122334455667788u);
}

TEST(NestedPaging, NotPresentRead) {
  Nested m;
  m.change(kGuestData, 1, 0);
  EXPECT_EQ(m.run(), ExitCode::Npf);
  EXPECT_EQ(m.info1(), 0x100000004u);
  EXPECT_EQ(m.info2(), kGuestData);
  EXPECT_EQ(m.guest_rip(), kGuestCode);
  EXPECT_EQ(m.vmcb().get<Field::BytesFetched>(), 15);
  EXPECT_EQ(m.vmcb().get<Field::InstructionBytesLow>() & 0xffffff, 0x078b48u);
}

TEST(NestedPaging, ReadOnlyWrite) {
  Nested m;
  m.change(kGuestData, 2, 0);
  m.cpu.r[RDI] = kGuestData + 0x18;
  EXPECT_EQ(m.run(), ExitCode::Npf);
  EXPECT_EQ(m.info1(), 0x100000007u);
  EXPECT_EQ(m.info2(), kGuestData + 0x18);
  EXPECT_EQ(m.guest_rip(), kGuestCode + 3);
}

TEST(NestedPaging, SupervisorPageIsNotForGuests) {
  Nested m;
  m.change(kGuestData, 4, 0);
  EXPECT_EQ(m.run(), ExitCode::Npf);
  EXPECT_EQ(m.info1(), 0x100000005u);
}

TEST(NestedPaging, ExecuteDisable) {
  Nested m;
  m.change(kGuestCode, 0, u64{1} << 63);
  EXPECT_EQ(m.run(), ExitCode::Npf);
  EXPECT_EQ(m.info1(), 0x100000015u);
  EXPECT_EQ(m.vmcb().get<Field::BytesFetched>(), 0);
}

TEST(NestedPaging, ReservedBit) {
  Nested m;
  m.change(kGuestData, 0, u64{1} << 51);
  EXPECT_EQ(m.run(), ExitCode::Npf);
  EXPECT_EQ(m.info1(), 0x10000000du);
}

TEST(NestedPaging, ReadOnlyGuestTable) {
  Nested m;
  m.change(kHostTables, 2, 0);
  EXPECT_EQ(m.run(), ExitCode::Npf);
  EXPECT_EQ(m.info1(), 0x200000007u);
  EXPECT_EQ(m.info2(), kHostTables);
}

TEST(NestedPaging, FaultWhileAnInterruptIsDelivered) {
  Nested m;
  m.change(test::kIdt, 1, 0);
  m.vmcb().put<Field::EventInj>(event::Valid | 0x40);
  EXPECT_EQ(vmrun(m.cpu, test::kVmcb), VmrunResult::Exited);
  EXPECT_EQ(static_cast<ExitCode>(m.exit_code()), ExitCode::Npf);
  EXPECT_EQ(m.info2(), test::kIdt + 0x400);
  EXPECT_EQ(m.vmcb().get<Field::ExitIntInfo>(), event::Valid | 0x40);
}

TEST(NestedPaging, LargePagesAndRealModeGuest) {
  Nested m;
  m.poke(test::kNestedTables + 0x2000, 0xe7);  // 2 MiB
  const Vmcb v = m.vmcb();
  v.put<Field::Efer>(efer::SVME);
  v.put<Field::Cr0>(cr0::ET);
  v.put<Field::Cr4>(0);
  v.put_segment<Field::CsSelector>({0x5000, 0x9b, 0xffff, kGuestCode});
  v.put_segment<Field::SsSelector>({0x0000, 0x93, 0xffff, 0});
  v.put_segment<Field::DsSelector>({0x7000, 0x93, 0xffff, kGuestData});
  v.put<Field::Rip>(0);
  m.code({0xa1, 0x10, 0x00, 0x0f, 0x01, 0xd9});  // mov ax, [0x10]; vmmcall
  m.poke(kGuestData + 0x10, 0xbeef);
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(v.get<Field::Rax>() & 0xffff, 0xbeefu);
  EXPECT_EQ(v.get<Field::Rip>(), 3u);
  EXPECT_EQ(v.get<Field::Cpl>(), 0);
}

TEST(NestedPaging, PatSwitches) {
  Nested m;
  m.vmcb().put<Field::GPat>(0x0606060606060606);
  const u64 host = m.cpu.msr.pat;
  m.code({0x0f, 0x32, 0x0f, 0x01, 0xd9});  // rdmsr; vmmcall
  m.cpu.r[RCX] = 0x277;
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(m.vmcb().get<Field::Rax>(), 0x06060606u);
  EXPECT_EQ(m.cpu.msr.pat, host);
}

// A walk of each nested format, without a processor that runs.
TEST(NestedPaging, Formats) {
  SvmMachine m;
  const GpaAccess read{.read = true,
                       .write = false,
                       .fetch = false,
                       .user = true,
                       .table_walk = false,
                       .linear_valid = false,
                       .linear = 0};
  SecondStage out;
  u64 info = 0;
  NestedPaging p{.enabled = true, .format = NestedFormat::Bits32, .page_size = true};
  p.root = 0x100000;
  m.poke(0x100000, 0x00000087, 4);
  m.poke(0x100004, 0x101007, 4);
  m.poke(0x101000, 0x55007, 4);
  EXPECT_TRUE(nested_walk(m.cpu, p, 0x123456, read, out, info));
  EXPECT_EQ(out.host_pa, 0x123000u);
  EXPECT_EQ(out.page_mask, 0x3fffffu);
  EXPECT_TRUE(nested_walk(m.cpu, p, 0x400010, read, out, info));
  EXPECT_EQ(out.host_pa, 0x55000u);
  EXPECT_FALSE(nested_walk(m.cpu, p, u64{1} << 32, read, out, info));
  EXPECT_EQ(info, 0x100000004u);

  p.format = NestedFormat::Pae;
  p.root = 0x102000;
  m.poke(0x102000, 0x103001);
  m.poke(0x103000, 0xe7);
  EXPECT_TRUE(nested_walk(m.cpu, p, 0x12345, read, out, info));
  EXPECT_EQ(out.host_pa, 0x12000u);
  EXPECT_FALSE(nested_walk(m.cpu, p, 0x40000000, read, out, info));
  EXPECT_EQ(info, 0x100000004u);

  p.format = NestedFormat::FourLevel;
  p.root = 0x104000;
  m.poke(0x104000, 0x105007);
  m.poke(0x105000, 0x87);  // 1 GiB
  EXPECT_TRUE(nested_walk(m.cpu, p, 0x200123, read, out, info));
  EXPECT_EQ(out.host_pa, 0x200000u);
  EXPECT_EQ(out.page_mask, 0x3fffffffu);
  EXPECT_FALSE(nested_walk(m.cpu, p, u64{1} << 48, read, out, info));
}

TEST(NestedPaging, FetchIsReportedWithSmepToo) {
  for (const bool smep : {false, true}) {
    Nested m;
    m.cpu.efer &= ~efer::NXE;
    m.cpu.cr4 = smep ? m.cpu.cr4 | cr4::SMEP : m.cpu.cr4 & ~cr4::SMEP;
    m.cpu.update_mode();
    m.change(kGuestCode, 1, 0);
    EXPECT_EQ(m.run(), ExitCode::Npf);
    EXPECT_EQ(m.info1(), smep ? 0x100000014u : 0x100000004u);
  }
}

}  // namespace
}  // namespace softvt::svm
