// The rules of hypercalls, without and with a processor.
#include "kvm/hypercalls.h"

#include <algorithm>

#include "tests/kvm/tiny_guest.h"

namespace softvt::kvm {
namespace {

HypercallRegistry registry() {
  HypercallRegistry r;
  r.add_kvm_rows();
  return r;
}

TEST(Hypercall, UnknownNumberGivesEnosys) {
  const auto r = registry();
  const auto outcome = do_hypercall(r, {.rax = 0x777}, true, 0, nullptr);
  EXPECT_EQ(outcome.result, -1000);
  EXPECT_EQ(outcome.rax, static_cast<u64>(-1000));
  EXPECT_EQ(outcome.entry, nullptr);
}

TEST(Hypercall, UserModeGivesEpermBeforeTheNumberIsLookedAt) {
  const auto r = registry();
  for (const u64 number : {u64{1}, u64{0x777}}) {
    const auto outcome = do_hypercall(r, {.rax = number}, true, 3, nullptr);
    EXPECT_EQ(outcome.result, -1);
    EXPECT_FALSE(outcome.allowed);
  }
}

TEST(Hypercall, OutsideOf64BitModeEverythingIs32BitsWide) {
  auto r = registry();
  std::string error;
  HypercallRequest seen;
  ASSERT_TRUE(r.register_hypercall(
      0x2001, "probe",
      [&](const HypercallRequest& q) {
        seen = q;
        return i64{-1};
      },
      Convention::Palacios, error));
  const u64 high = u64{0xabcd} << 32;
  const auto outcome =
      do_hypercall(r, {high | 0x2001, high | 1, high | 2, high | 3, high | 4}, false, 0, nullptr);
  EXPECT_EQ(seen.arguments, (std::array<u64, 4>{1, 2, 3, 4}));
  EXPECT_EQ(outcome.rax, 0xffffffffu);
}

TEST(Hypercall, In64BitModeArgumentsAreWhole) {
  auto r = registry();
  std::string error;
  ASSERT_TRUE(r.register_hypercall(kPalaciosDemo, "palacios_demo", palacios_demo,
                                   Convention::Palacios, error));
  const u64 big = u64{1} << 40;
  EXPECT_EQ(do_hypercall(r, {kPalaciosDemo, big, 5, 0, 0}, true, 0, nullptr).rax, big + 10);
}

TEST(Hypercall, ConflictNamesBoth) {
  auto r = registry();
  std::string error;
  EXPECT_FALSE(r.register_hypercall(5, "mine", palacios_demo, Convention::Palacios, error));
  EXPECT_NE(error.find("'mine'"), std::string::npos);
  EXPECT_NE(error.find("KVM_HC_KICK_CPU"), std::string::npos);
}

TEST(Hypercall, RowsAreInOrderAndNamed) {
  u64 last = 0;
  for (const HypercallRow& row : kvm_hypercall_rows()) {
    EXPECT_GT(row.number, last);
    EXPECT_TRUE(row.name.starts_with("KVM_HC_"));
    last = row.number;
  }
}

// ---- on a processor ----------------------------------------------------------------------------

class HypercallGuest : public EachVendor {};

// MOV EAX, 11; MOV EBX, 0; MOV ECX, 0
const std::vector<u8> kYield = {0xb8, 11, 0, 0, 0, 0xbb, 0, 0, 0, 0, 0xb9, 0, 0, 0, 0};
const std::vector<u8> kHlt = {0xf4};

TEST_P(HypercallGuest, ReturnsAndGoesOnBehindTheInstruction) {
  TinyGuest guest(GetParam());
  guest.start_long(join({kYield, own(GetParam()), kHlt}));
  guest.run_to_halt();
  const Registers r = guest.vcpu->registers();
  EXPECT_EQ(r.gpr[RAX], 0u);
  EXPECT_EQ(r.rip, kCodeAt + kYield.size() + 4);
}

TEST_P(HypercallGuest, StationsComeInOrder) {
  TinyGuest guest(GetParam());
  guest.start_long(join({kYield, own(GetParam()), kHlt}));
  guest.run_to_halt();
  std::vector<size_t> kinds;
  for (const trace::PathEvent& event : guest.path.events) kinds.push_back(event.station.index());
  const std::vector<size_t> expected = {0, 1, 2, 4, 5, 7};
  const auto found = std::search(kinds.begin(), kinds.end(), expected.begin(), expected.end());
  ASSERT_NE(found, kinds.end());
  const auto insns = guest.path.all<trace::GuestInstruction>();
  ASSERT_EQ(insns.size(), 1u);
  EXPECT_EQ(insns[0].disassembly, GetParam() == Vendor::Vmx ? "vmcall" : "vmmcall");
  EXPECT_EQ(insns[0].gpr[RAX], 11u);
  const auto calls = guest.path.all<trace::Hypercall>();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].name, "KVM_HC_SCHED_YIELD");
  EXPECT_FALSE(calls[0].masked);
}

TEST_P(HypercallGuest, ProtectedModeIsMasked) {
  TinyGuest guest(GetParam());
  guest.start_protected(join({{0xb8, 0x77, 7, 0, 0}, own(GetParam()), kHlt}));
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[RAX], static_cast<u32>(-1000));
  EXPECT_TRUE(guest.path.all<trace::Hypercall>().at(0).masked);
}

TEST_P(HypercallGuest, RealModeWorks) {
  TinyGuest guest(GetParam());
  guest.start_real(join({{0x66, 0xb8, 1, 0, 0, 0}, own(GetParam()), kHlt}));
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[RAX], 0u);
}

TEST_P(HypercallGuest, UserModeIsRefused) {
  TinyGuest guest(GetParam());
  guest.start_long(join({kYield, own(GetParam()), {0xeb, 0xfe}}), 3);
  for (int i = 0; i < 20 && guest.path.all<trace::Hypercall>().empty(); ++i) guest.vcpu->run(100);
  const auto calls = guest.path.all<trace::Hypercall>();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].cpl, 3u);
  EXPECT_EQ(calls[0].result, -1);
  guest.vcpu->pause();
  EXPECT_EQ(guest.vcpu->registers().gpr[RAX], ~u64{0});
}

TEST_P(HypercallGuest, ForeignInstructionIsRewritten) {
  TinyGuest guest(GetParam());
  guest.start_long(join({kYield, foreign(GetParam()), kHlt}));
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[RAX], 0u);
  std::vector<u8> bytes(3);
  ASSERT_TRUE(guest.vm.read_guest(kCodeAt + kYield.size(), bytes.data(), 3));
  EXPECT_EQ(bytes, own(GetParam()));
  EXPECT_EQ(guest.path.all<trace::Rewrite>().size(), 1u);
}

TEST_P(HypercallGuest, ReadOnlyTextFaultsInstead) {
  TinyGuest guest(GetParam());
  guest.start_long(join({kYield, foreign(GetParam()), kHlt}), 0, false);
  // No IDT entry is present: the #PF ends in a triple fault.
  EXPECT_EQ(guest.run().exit_reason, RunExit::Shutdown);
  const auto rewrites = guest.path.all<trace::Rewrite>();
  ASSERT_EQ(rewrites.size(), 1u);
  EXPECT_NE(rewrites[0].result, "written");
}

TEST_P(HypercallGuest, QuirkOffMeansUndefinedOpcode) {
  TinyGuest guest(GetParam(), {.fix_hypercall_insn = false});
  guest.start_long(join({kYield, foreign(GetParam()), kHlt}));
  EXPECT_EQ(guest.run().exit_reason, RunExit::Shutdown);
  EXPECT_TRUE(guest.path.all<trace::Rewrite>().empty());
}

// As with KVM: a kick that comes before the HLT ends it at once, else it would be lost.
TEST_P(HypercallGuest, KickEndsTheNextHalt) {
  TinyGuest guest(GetParam());
  // MOV EAX, 5; XOR ECX, ECX; hypercall; HLT; HLT
  guest.start_long(join({{0xb8, 5, 0, 0, 0, 0x31, 0xc9}, own(GetParam()), kHlt, kHlt}));
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().rip, kCodeAt + 12);
}

TEST_P(HypercallGuest, ClockPairingWritesVirtualTime) {
  TinyGuest guest(GetParam(), {.boot_time_s = 1000});
  // EBX = 0x40000, ECX = 0
  guest.start_long(join({{0xb8, 9, 0, 0, 0, 0xbb, 0, 0, 4, 0, 0x31, 0xc9}, own(GetParam()), kHlt}));
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[RAX], 0u);
  u64 seconds = 0;
  ASSERT_TRUE(guest.vm.read_guest(0x40000, &seconds, 8));
  EXPECT_EQ(seconds, 1000u);
}

TEST_P(HypercallGuest, ClockPairingOutsideMemoryFaults) {
  TinyGuest guest(GetParam());
  guest.start_long(
      join({{0xb8, 9, 0, 0, 0, 0xbb, 0, 0, 0, 0x40, 0x31, 0xc9}, own(GetParam()), kHlt}));
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[RAX], static_cast<u64>(-14));
}

INSTANTIATE_TEST_SUITE_P(Vendors, HypercallGuest, ::testing::Values(Vendor::Vmx, Vendor::Svm),
                         vendor_name);

}  // namespace
}  // namespace softvt::kvm
