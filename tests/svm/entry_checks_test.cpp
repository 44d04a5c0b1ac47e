// One negative test a row, made from the row.
#include "svm/entry_checks.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/svm/svm_machine.h"

namespace softvt::svm {
namespace {

using test::SvmMachine;

void apply(const Counterexample& example, SvmMachine& m) {
  for (const Counterexample::Change& change : example.changes) {
    if (change.field == Field::Count) continue;
    const u64 old = m.vmcb().read(change.field);
    m.vmcb().write(change.field, (old & ~change.clear) | change.set);
  }
  if (example.host_without_paging) m.cpu.cr0 &= ~cr0::PG;
}

TEST(EntryChecks, AValidVmcbPasses) {
  SvmMachine m;
  EXPECT_TRUE(checks_hold({m.vmcb(), m.cpu}));
  m.nested_paging();
  EXPECT_TRUE(checks_hold({m.vmcb(), m.cpu}));
}

TEST(EntryChecks, IdsAreUniqueAndRowsComplete) {
  std::set<std::string_view> ids;
  for (const CheckRow& row : check_rows()) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_FALSE(row.section.empty() || row.message.empty() || row.allowed.empty()) << row.id;
    EXPECT_NE(row.fields[0], Field::Count) << row.id;
    EXPECT_NE(row.counterexample.changes[0].field, Field::Count) << row.id;
  }
}

TEST(EntryChecks, EachCounterexampleBreaksExactlyItsRule) {
  for (const CheckRow& row : check_rows()) {
    SCOPED_TRACE(row.id);
    SvmMachine m;
    for (unsigned i = 0; i < 512; ++i) m.poke(0x100000 + i * 8, 0);
    // svm.pdptes points CR3 at the end of nowhere: reads give all ones.
    apply(row.counterexample, m);
    EXPECT_FALSE(checks_hold({m.vmcb(), m.cpu}));
    CheckReport report;
    report_checks({m.vmcb(), m.cpu}, report);
    ASSERT_EQ(report.failures().size(), 1u) << report.text("VMRUN");
    EXPECT_EQ(report.first()->id, row.id);
  }
}

TEST(EntryChecks, VmrunExitsWithInvalidAndTellsWhy) {
  SvmMachine m;
  m.vmcb().put<Field::GuestAsid>(0);
  m.vmcb().put<Field::Cr0>(m.vmcb().get<Field::Cr0>() | u64{1} << 40);
  EXPECT_EQ(vmrun(m.cpu, test::kVmcb), VmrunResult::Invalid);
  EXPECT_EQ(m.exit_code(), ~u64{0});
  EXPECT_FALSE(m.cpu.guest_mode);
  EXPECT_FALSE(m.cpu.gif);
  const CheckReport& report = m.svm.entry_failure();
  ASSERT_EQ(report.failures().size(), 2u);
  EXPECT_EQ(report.first()->id, "svm.cr0-high");
  const std::string text = report.text("VMRUN: #VMEXIT(VMEXIT_INVALID)");
  EXPECT_NE(text.find("-> svm.cr0-high"), std::string::npos) << text;
  EXPECT_NE(text.find("   svm.asid-zero"), std::string::npos) << text;
  EXPECT_NE(text.find("GUEST_ASID = 0x00000000"), std::string::npos) << text;
  EXPECT_NE(text.find("CR0[63:32] = 0"), std::string::npos) << text;
}

}  // namespace
}  // namespace softvt::svm
