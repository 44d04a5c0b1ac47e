// Interrupts from outside: injection, interrupt windows, HLT, the local APIC's page, NMI, INIT.
#include "cpu/apic/apic_bus.h"
#include "tests/kvm/tiny_guest.h"

namespace softvt::kvm {
namespace {

constexpr u64 kHandler = 0x11000;
constexpr u8 kVector = 0x40;

// The 8259 pair, as far as a vcpu sees it.
struct FakePic : Bus {
  u32 port_in(u16, unsigned) override { return 0; }
  void port_out(u16, u32, unsigned) override {}
  bool extint_pending() override { return pending; }
  u8 extint_acknowledge() override {
    pending = false;
    return kVector;
  }
  bool pending = false;
};

class InterruptGuest : public EachVendor {
 protected:
  void open(TinyGuest& guest, const std::vector<u8>& code) {
    for (const u8 vector : {kVector, u8{2}}) {
      guest.write64(kIdt + vector * 16u, (kHandler & 0xffff) | u64{8} << 16 | u64{0x8e00} << 32 |
                                             (kHandler >> 16) << 48);
      guest.write64(kIdt + vector * 16u + 8, 0);
    }
    // GDT: null, code
    guest.write64(0x31000, 0);
    guest.write64(0x31008, 0x00af9b000000ffff);
    guest.write64(0x31010, 0x00cf93000000ffff);
    guest.write(kHandler, {0x49, 0xff, 0xc7, 0x48, 0xcf});  // INC R15; IRETQ
    guest.start_long(code);
    SystemRegisters s = guest.vcpu->system_registers();
    s.gdt = {0x31000, 0x17};
    guest.vcpu->set_system_registers(s);
  }
};

TEST_P(InterruptGuest, PendingInterruptWaitsForSti) {
  FakePic pic;
  TinyGuest guest(GetParam(), {}, {nullptr, &pic});
  // NOP x4; MOV RBX, R15; STI; NOP; NOP; CLI; HLT
  open(guest, {0x90, 0x90, 0x90, 0x90, 0x4c, 0x89, 0xfb, 0xfb, 0x90, 0x90, 0xfa, 0xf4});
  pic.pending = true;
  guest.run_to_halt();
  const Registers r = guest.vcpu->registers();
  EXPECT_EQ(r.gpr[RBX], 0u);
  EXPECT_EQ(r.gpr[R15], 1u);
  EXPECT_FALSE(guest.vcpu->has_wake_event());
}

TEST_P(InterruptGuest, InterruptEndsHalt) {
  FakePic pic;
  TinyGuest guest(GetParam(), {}, {nullptr, &pic});
  open(guest, {0xfb, 0xf4, 0xfa, 0xf4});  // STI; HLT; CLI; HLT
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[R15], 0u);
  EXPECT_TRUE(guest.vcpu->wakes_on_interrupt());
  pic.pending = true;
  EXPECT_TRUE(guest.vcpu->has_wake_event());
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[R15], 1u);
  EXPECT_EQ(guest.vcpu->registers().rip, kCodeAt + 4);
}

TEST_P(InterruptGuest, RunningGuestIsKicked) {
  FakePic pic;
  TinyGuest guest(GetParam(), {}, {nullptr, &pic});
  open(guest,
       {0xfb, 0x90, 0x4d, 0x85, 0xff, 0x74, 0xfb, 0xfa, 0xf4});  // STI; wait for R15; CLI; HLT
  EXPECT_EQ(guest.vcpu->run(200).exit_reason, RunExit::Intr);
  pic.pending = true;
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[R15], 1u);
}

TEST_P(InterruptGuest, NmiComesWithInterruptsOff) {
  TinyGuest guest(GetParam());
  open(guest, {0x90, 0x90, 0xf4});
  guest.vcpu->post_nmi();
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[R15], 1u);
  guest.vcpu->post_nmi();
  EXPECT_TRUE(guest.vcpu->has_wake_event());
  guest.vcpu->run(1);
}

TEST_P(InterruptGuest, InitResetsTheVcpu) {
  TinyGuest guest(GetParam());
  open(guest, {0xeb, 0xfe});
  guest.vcpu->run(100);
  guest.vcpu->post_init();
  guest.vcpu->run(5);  // there is no RAM at the reset vector
  guest.vcpu->pause();
  EXPECT_EQ(guest.vcpu->system_registers().segments[1].base, 0xffff0000u);
}

TEST_P(InterruptGuest, LocalApicTimerThroughItsPage) {
  ApicInterconnect interconnect;
  Timeline timeline;
  TinyGuest* running = nullptr;
  LocalApicOptions options;
  options.bootstrap = true;
  const auto tsc = [&running] { return running != nullptr ? running->vcpu->guest_tsc() : 0; };
  LocalApic apic(options, timeline, interconnect, tsc, {});
  apic.reset();
  TinyGuest guest(GetParam(), {}, {&apic, nullptr}, &timeline);
  running = &guest;
  guest.write64(kTables + 0x1000 + 3 * 8, (kTables + 0x3000) | 7);
  guest.write64(kTables + 0x3000 + 0x1f7 * 8, 0xfee00087);
  // EBX = APIC; SVR on; LVT timer = vector 0x40; initial count 500; STI; wait for R15; CLI; HLT
  open(guest, {0xbb, 0,    0,    0xe0, 0xfe, 0xc7, 0x83, 0xf0, 0,    0,    0,    0xff, 1,
               0,    0,    0xc7, 0x83, 0x20, 3,    0,    0,    0x40, 0,    0,    0,    0xc7,
               0x83, 0x80, 3,    0,    0,    0xf4, 1,    0,    0,    0x8b, 0x83, 0x30, 0,
               0,    0,    0xfb, 0x90, 0x4d, 0x85, 0xff, 0x74, 0xfb, 0xfa, 0xf4});
  for (int i = 0; i < 100 && guest.vcpu->state() == RunState::Runnable; ++i) {
    const RunExit exit = guest.vcpu->run(100).exit_reason;
    ASSERT_TRUE(exit == RunExit::Intr || exit == RunExit::Hlt) << guest.vcpu->run_area().detail;
    timeline.fire_due();
  }
  EXPECT_EQ(guest.vcpu->registers().gpr[R15], 1u);
  EXPECT_EQ(guest.vcpu->registers().gpr[RAX] & 0xff, 0x14u);  // the version register
}

// The TSC goes on while the guest waits in HLT: the deadline comes once, at its time.
TEST_P(InterruptGuest, TscDeadlineEndsHalt) {
  if (GetParam() == Vendor::Svm) GTEST_SKIP() << "no TSC deadline on AMD";
  ApicInterconnect interconnect;
  Timeline timeline;
  TinyGuest* running = nullptr;
  LocalApicOptions options;
  options.bootstrap = true;
  const auto tsc = [&running] { return running != nullptr ? running->vcpu->guest_tsc() : 0; };
  LocalApic apic(options, timeline, interconnect, tsc, {});
  apic.reset();
  apic.mmio_write(0xf0, 0x1ff, 4);
  apic.mmio_write(0x320, 2u << 17 | kVector, 4);
  TinyGuest guest(GetParam(), {}, {&apic, nullptr}, &timeline);
  running = &guest;
  // WRMSR IA32_TSC_DEADLINE = 20000; STI; HLT; CLI; HLT
  open(guest, {0xb9, 0xe0, 6, 0, 0, 0xb8, 0x20, 0x4e, 0, 0, 0x31, 0xd2, 0x0f, 0x30, 0xfb, 0xf4,
               0xfa, 0xf4});
  guest.run_to_halt();
  ASSERT_NE(timeline.next_event(), kNever);
  timeline.set_now(timeline.next_event());
  timeline.fire_due();
  EXPECT_EQ(timeline.next_event(), kNever);
  EXPECT_TRUE(guest.vcpu->has_wake_event());
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[R15], 1u);
}

INSTANTIATE_TEST_SUITE_P(Vendors, InterruptGuest, ::testing::Values(Vendor::Vmx, Vendor::Svm),
                         vendor_name);

}  // namespace
}  // namespace softvt::kvm
