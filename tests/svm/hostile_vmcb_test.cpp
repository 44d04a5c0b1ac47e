// Whatever stands in the VMCB and in the host save area, the host process goes on.
#include <gtest/gtest.h>

#include <random>

#include "tests/svm/svm_machine.h"

namespace softvt::svm {
namespace {

using test::SvmMachine;

u64 odd_value(std::mt19937_64& random) {
  switch (random() % 6) {
    case 0:
      return 0;
    case 1:
      return ~u64{0};
    case 2:
      return random();
    case 3:
      return u64{1} << (random() % 64);
    case 4:
      return random() & 0xffff;
    default:
      return test::kRam - 1 + (random() % 3);
  }
}

constexpr bool keeps_vmrun_legal(Field f) {
  return f == Field::Vector4 || f == Field::GuestAsid || f == Field::Efer;
}

void mutate(SvmMachine& m, std::mt19937_64& random) {
  const unsigned changes = 1 + random() % 6;
  for (unsigned i = 0; i < changes; ++i) {
    const auto field = static_cast<Field>(random() % static_cast<unsigned>(Field::Count));
    if (keeps_vmrun_legal(field) && random() % 8 != 0) continue;
    const u64 old = m.vmcb().read(field);
    m.vmcb().write(field, random() % 2 ? odd_value(random) : old ^ u64{1} << (random() % 64));
  }
}

TEST(HostileVmcb, RandomFields) {
  std::mt19937_64 random(20240701);
  unsigned entered = 0, invalid = 0;
  for (unsigned round = 0; round < 1500; ++round) {
    SvmMachine m;
    if (random() % 2) m.nested_paging();
    for (u64 i = 0; i < 64; ++i) m.poke(test::kGuestCode + i * 8, random());
    mutate(m, random);
    const VmrunResult result = vmrun(m.cpu, test::kVmcb);
    entered += result == VmrunResult::Entered;
    invalid += result == VmrunResult::Invalid;
    if (random() % 4 == 0) m.poke(test::kHostSave + 0x400 + random() % 0x200, random());
    if (m.cpu.guest_mode) m.cpu.run(300);
    if (m.cpu.guest_mode) m.svm.exit(m.cpu, {.code = ExitCode::Intr});
    EXPECT_FALSE(m.cpu.guest_mode);
    m.cpu.stop_on_vm_exit = false;
    m.cpu.run(20);  // the host, in whatever state it came back
  }
  EXPECT_GT(entered, 300u);
  EXPECT_GT(invalid, 100u);
}

TEST(HostileVmcb, VmcbPageThatHoldsCode) {
  SvmMachine m;
  m.code({0x0f, 0x01, 0xd9});
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  // The guest jumps into its own VMCB, whose bytes the exit rewrites.
  m.vmcb().put<Field::Rip>(test::kVmcb + 0x578);
  for (unsigned i = 0; i < 3; ++i) m.run(50);
  SUCCEED();
}

TEST(SavedState, RestoredExtensionCanExit) {
  SvmMachine m;
  m.nested_paging();
  m.code({0x90, 0x0f, 0x01, 0xd9});
  ASSERT_EQ(vmrun(m.cpu, test::kVmcb), VmrunResult::Entered);
  const SvmExtension::Saved saved = m.svm.save();
  SvmExtension other;
  other.restore(m.cpu, saved);
  m.cpu.svm = &other;
  m.cpu.run(100);
  EXPECT_EQ(static_cast<ExitCode>(m.exit_code()), ExitCode::Vmmcall);
  EXPECT_EQ(m.cpu.rip, test::kHostCode);
}

}  // namespace
}  // namespace softvt::svm
