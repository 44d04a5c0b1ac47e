// One negative test for each row of the entry checks, made from the row: its fields are varied
// until it fails. A row that nothing makes fail is a row without a test.
#include <random>
#include <set>

#include "tests/vmx/vmx_machine.h"

namespace softvt::vmx {
namespace {

using test::VmxMachine;
constexpr CheckClass kClasses[] = {CheckClass::Control, CheckClass::Host, CheckClass::Guest};

TEST(EntryChecks, IdsAreUniqueAndSectionsGiven) {
  std::set<std::string_view> ids;
  for (const CheckClass cls : kClasses) {
    for (const CheckRow& row : check_rows(cls)) {
      EXPECT_TRUE(ids.insert(row.id).second) << row.id;
      EXPECT_TRUE(row.section.starts_with("27.")) << row.id;
      EXPECT_GT(row.fields.count, 0) << row.id;
      EXPECT_FALSE(row.rule.empty()) << row.id;
      EXPECT_EQ(find_check(row.id)->id, row.id);
    }
  }
}

TEST(EntryChecks, TheSampleVmcsPasses) {
  VmxMachine m;
  for (const CheckClass cls : kClasses)
    EXPECT_TRUE(run_checks(m.context(), cls, false).empty())
        << failure_report("VMLAUNCH", m.context(), cls);
}

// Situations that some rules only apply in.
using Situation = void (*)(VmxMachine&);
constexpr Situation kSituations[] = {
    [](VmxMachine&) {},
    [](VmxMachine& m) {  // no EPT, hence no unrestricted guest
      m.control(Control::UnrestrictedGuest, false);
      m.control(Control::EnableEpt, false);
    },
    [](VmxMachine& m) {  // 32-bit guest with PAE paging
      m.control(Control::Ia32eModeGuest, false);
      m.write(Field::GUEST_IA32_EFER, 0);
    },
    [](VmxMachine& m) {  // the same without EPT
      m.control(Control::Ia32eModeGuest, false);
      m.control(Control::UnrestrictedGuest, false);
      m.control(Control::EnableEpt, false);
      m.write(Field::GUEST_IA32_EFER, 0);
      m.write(Field::GUEST_CR3, test::kMsrArea);
    },
    [](VmxMachine& m) { m.write(Field::GUEST_RFLAGS, rflags::VM | 2); },
    [](VmxMachine& m) { m.control(Control::HostAddressSpaceSize, false); },
    [](VmxMachine& m) { m.control(Control::LoadHostPkrs, true); },
    [](VmxMachine& m) { m.control(Control::LoadGuestPkrs, true); },
    [](VmxMachine& m) { m.control(Control::IoBitmaps, true); },
    [](VmxMachine& m) { m.control(Control::VirtualNmis, true); },
    [](VmxMachine& m) { m.write(Field::GUEST_CR0, m.cpu.cr0 & ~cr0::PE & ~cr0::PG); },
    [](VmxMachine& m) { m.write(Field::GUEST_LDTR_AR_BYTES, 0x82); },
    [](VmxMachine& m) { m.write(Field::VM_EXIT_MSR_STORE_COUNT, 4); },
    [](VmxMachine& m) { m.write(Field::VM_EXIT_MSR_LOAD_COUNT, 4); },
    [](VmxMachine& m) { m.write(Field::VM_ENTRY_MSR_LOAD_COUNT, 4); },
    [](VmxMachine& m) { m.write(Field::VM_ENTRY_INTR_INFO, 0x80000b0d); },  // #GP with error code
    [](VmxMachine& m) { m.write(Field::VM_ENTRY_INTR_INFO, 0x80000020); },  // external interrupt
    [](VmxMachine& m) { m.write(Field::VM_ENTRY_INTR_INFO, 0x80000202); },  // NMI
    [](VmxMachine& m) { m.write(Field::VM_ENTRY_INTR_INFO, 0x80000480); },  // INT 80H
    [](VmxMachine& m) {
      m.control(Control::VirtualNmis, true);
      m.write(Field::VM_ENTRY_INTR_INFO, 0x80000202);
    },
    [](VmxMachine& m) {
      m.write(Field::GUEST_RFLAGS, rflags::IF | 2);
      m.write(Field::VM_ENTRY_INTR_INFO, 0x80000020);
    },
    [](VmxMachine& m) { m.write(Field::GUEST_INTERRUPTIBILITY_INFO, 2); },
    [](VmxMachine& m) { m.write(Field::GUEST_ACTIVITY_STATE, 1); },
};

std::vector<u64> values_for(Field f, u64 now) {
  std::vector<u64> values = {0,           ~u64{0},
                             1,           2,
                             3,           4,
                             5,           6,
                             7,           0x8000,
                             0xffffffff,  0x800000000000,
                             test::kVmcs, 0x0303030303030303,
                             now + 1,     now + 0x10,
                             now + 0x800};
  for (unsigned bit = 0; bit < 64; ++bit) values.push_back(now ^ u64{1} << bit);
  for (u64 last = 0; last < 64; ++last) values.push_back((u64{1} << 46) - 16 * last);
  for (u64& v : values) v &= mask_of(f);
  return values;
}

// True if some value of one of the row's fields makes it fail, where it passed before.
bool can_fail(VmxMachine& m, const CheckRow& row) {
  if (!row.ok(m.context())) return true;
  const Vmcs v = m.vmx->current();
  for (const Field f : row.fields) {
    const u64 now = v.get(f);
    for (const u64 value : values_for(f, now)) {
      v.set(f, value);
      const bool ok = row.ok(m.context());
      v.set(f, now);
      if (!ok) return true;
    }
  }
  return false;
}

// Two situations depend on what is not in the VMCS.
bool fails_outside_ia32e(VmxMachine& m, const CheckRow& row) {
  CheckContext ctx = m.context();
  ctx.host_ia32e = false;
  return !row.ok(ctx);
}
bool fails_with_other_capabilities(VmxMachine& m, const CheckRow& row) {
  Capabilities caps = m.vmx->capabilities();
  caps.ept_vpid = 0;
  m.write(Field::EPT_POINTER, m.read(Field::EPT_POINTER) | 1 << 6);
  return !row.ok({m.vmx->current(), caps, true, test::kVmcs, &m.mem});
}
bool fails_with_bad_pdptes_in_memory(VmxMachine& m, const CheckRow& row) {
  kSituations[3](m);
  for (u64 i = 0; i < 4; ++i) m.put(test::kMsrArea + 8 * i, 7);
  return !row.ok(m.context());
}

TEST(EntryChecks, EachRowCanFail) {
  for (const CheckClass cls : kClasses) {
    for (const CheckRow& row : check_rows(cls)) {
      bool failed = false;
      for (const Situation setup : kSituations) {
        VmxMachine m;
        setup(m);
        if ((failed = can_fail(m, row))) break;
      }
      VmxMachine a, b, c;
      failed = failed || fails_outside_ia32e(a, row) || fails_with_other_capabilities(b, row) ||
               fails_with_bad_pdptes_in_memory(c, row);
      EXPECT_TRUE(failed) << row.id << " cannot fail";
    }
  }
}

// The short way through the dirty groups must find what the whole table finds.
TEST(EntryChecks, DirtyGroupsMissNothing) {
  std::mt19937_64 random(1);
  VmxMachine m;
  for (int round = 0; round < 4000; ++round) {
    const FieldRow& row = kFieldRows[random() % kFieldCount];
    if (type_of(row.field) == FieldType::ReadOnly) continue;
    const Vmcs v = m.vmx->current();
    const u64 before = v.get(row.field);
    v.set(row.field, before ^ u64{1} << random() % 64);
    for (const CheckClass cls : kClasses) {
      const bool all = run_checks(m.context(), cls, true).empty();
      const bool some = first_failure(m.context(), cls, dirty_group(row.field)) == nullptr;
      EXPECT_EQ(all, some) << row.id;
    }
    v.set(row.field, before);
  }
}

TEST(EntryChecks, ReportNamesEverything) {
  VmxMachine m;
  m.write(Field::GUEST_CR0, 0);
  m.write(Field::GUEST_CR4, 0);
  m.write(Field::GUEST_RFLAGS, 0);
  const std::string text = failure_report("VMLAUNCH", m.context(), CheckClass::Guest);
  EXPECT_NE(text.find("VMLAUNCH: VM entry failed: guest state"), std::string::npos);
  EXPECT_NE(text.find("> guest.cr0.fixed (SDM 3C 27.3.1.1)"), std::string::npos) << text;
  EXPECT_NE(text.find("GUEST_CR0 (Guest CR0) = 0x0"), std::string::npos);
  EXPECT_NE(text.find("  guest.rflags.fixed"), std::string::npos);
}

TEST(EntryChecks, ErrorCodeInRealModeOnlyCountsForUnrestrictedGuests) {
  for (const bool unrestricted : {false, true}) {
    for (const bool with_code : {false, true}) {
      VmxMachine m;
      m.control(Control::UnrestrictedGuest, unrestricted);
      m.write(Field::GUEST_CR0, m.read(Field::GUEST_CR0) & ~(cr0::PE | cr0::PG));
      m.write(Field::VM_ENTRY_INTR_INFO, with_code ? 0x80000b0d : 0x8000030d);
      const bool passes = run_checks(m.context(), CheckClass::Control, false).empty();
      EXPECT_EQ(passes, with_code != unrestricted);
    }
  }
}

}  // namespace
}  // namespace softvt::vmx
