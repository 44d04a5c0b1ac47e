// Guests that run from VMRUN to a #VMEXIT.
#include <gtest/gtest.h>

#include "tests/svm/svm_machine.h"

namespace softvt::svm {
namespace {

using test::kGuestCode;
using test::kGuestData;
using test::kGuestStack;
using test::kHandlers;
using test::SvmMachine;

constexpr u64 kV = event::Valid;

ExitCode exception_exit(Vector v) { return plus(ExitCode::Exception0, static_cast<unsigned>(v)); }

TEST(GuestRun, VmmcallAndBack) {
  SvmMachine m;
  m.code({0x48, 0xff, 0xc0, 0x0f, 0x01, 0xd9});  // inc rax; vmmcall
  m.vmcb().put<Field::Rax>(41);
  m.cpu.r[RAX] = test::kVmcb;
  m.cpu.set_flags(rflags::Fixed1 | rflags::IF | rflags::CF);
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(m.vmcb().get<Field::Rax>(), 42u);
  EXPECT_EQ(m.guest_rip(), kGuestCode + 3);
  EXPECT_EQ(m.vmcb().get<Field::NRip>(), kGuestCode + 6);
  EXPECT_EQ(m.info1(), 0u);
  EXPECT_FALSE(m.cpu.guest_mode);
  EXPECT_FALSE(m.cpu.gif);
  EXPECT_EQ(m.cpu.rip, test::kHostCode);
  EXPECT_EQ(m.cpu.r[RAX], test::kVmcb);
  EXPECT_EQ(m.cpu.r[RSP], 0x90000u);
  EXPECT_EQ(m.cpu.flags(), rflags::Fixed1 | rflags::IF | rflags::CF);
  EXPECT_EQ(m.cpu.asid_tag, 0u);
  EXPECT_TRUE(m.cpu.code64());
}

TEST(GuestRun, SecondEntryGoesOnBehindTheExit) {
  SvmMachine m;
  m.code({0x0f, 0x01, 0xd9, 0x0f, 0x01, 0xd9});
  for (u64 i = 0; i < 2; ++i) {
    EXPECT_EQ(m.run(), ExitCode::Vmmcall);
    EXPECT_EQ(m.guest_rip(), kGuestCode + 3 * i);
    m.vmcb().put<Field::Rip>(m.vmcb().get<Field::NRip>());
  }
}

TEST(GuestRun, HypervisorInTheMachineUsesTheInstruction) {
  SvmMachine m;
  m.cpu.stop_on_vm_exit = false;
  m.code({0x0f, 0x01, 0xd9});
  // stgi; clgi; vmsave; vmload; vmrun; inc ecx; hlt
  constexpr u8 kHost[] = {0x0f, 0x01, 0xdc, 0x0f, 0x01, 0xdd, 0x0f, 0x01, 0xdb,
                          0x0f, 0x01, 0xda, 0x0f, 0x01, 0xd8, 0xff, 0xc1, 0xf4};
  m.mem.write(test::kHostCode, kHost, sizeof kHost);
  m.cpu.r[RAX] = test::kVmcb;
  EXPECT_EQ(m.cpu.run(1000), RunStop::Halted);
  EXPECT_EQ(static_cast<ExitCode>(m.exit_code()), ExitCode::Vmmcall);
  EXPECT_EQ(m.cpu.r[RCX], 1u);
  EXPECT_EQ(m.cpu.r[RAX], test::kVmcb);
}

TEST(GuestRun, InstructionsNeedSvme) {
  SvmMachine m;
  m.cpu.stop_on_vm_exit = false;
  m.cpu.efer &= ~efer::SVME;
  m.cpu.update_mode();
  constexpr u8 kVmrun[] = {0x0f, 0x01, 0xd8};
  m.mem.write(test::kHostCode, kVmrun, sizeof kVmrun);
  m.cpu.r[RAX] = test::kVmcb;
  m.cpu.run(1);
  EXPECT_EQ(m.cpu.rip, kHandlers + 6 * 16) << "#UD";
}

TEST(GuestRun, UnalignedVmcbIsGp) {
  SvmMachine m;
  EXPECT_EQ(vmrun(m.cpu, test::kVmcb + 8), VmrunResult::Fault);
  EXPECT_EQ(m.cpu.fault.vector, 13);
  EXPECT_EQ(vmrun(m.cpu, u64{1} << 52), VmrunResult::Fault);
}

TEST(GuestRun, VmcbWhereThereIsNoRamIsInvalid) {
  SvmMachine m;
  EXPECT_EQ(vmrun(m.cpu, u64{1} << 40), VmrunResult::Invalid);
}

// Every intercept of an instruction without operands, from the table.
TEST(GuestRun, PlainInterceptsExitWithTheirCode) {
  struct Case {
    std::string_view name;
    std::initializer_list<u8> code;
  };
  const Case kCases[] = {
      {"RDTSC", {0x0f, 0x31}},
      {"PUSHF", {0x9c}},
      {"POPF", {0x9d}},
      {"CPUID", {0x0f, 0xa2}},
      {"IRET", {0x48, 0xcf}},
      {"INVD", {0x0f, 0x08}},
      {"HLT", {0xf4}},
      {"INVLPGA", {0x0f, 0x01, 0xdf}},
      {"VMRUN", {0x0f, 0x01, 0xd8}},
      {"VMLOAD", {0x0f, 0x01, 0xda}},
      {"VMSAVE", {0x0f, 0x01, 0xdb}},
      {"STGI", {0x0f, 0x01, 0xdc}},
      {"CLGI", {0x0f, 0x01, 0xdd}},
      {"RDTSCP", {0x0f, 0x01, 0xf9}},
      {"ICEBP", {0xf1}},
      {"WBINVD", {0x0f, 0x09}},
      {"MONITOR", {0x0f, 0x01, 0xc8}},
      {"MWAIT", {0x0f, 0x01, 0xc9}},
      {"INTn", {0xcd, 0x80}},
      {"INVLPG", {0x0f, 0x01, 0x3f}},
      {"PAUSE", {0xf3, 0x90}},
      {"RDPMC", {0x0f, 0x33}},
      {"GDTR_READ", {0x0f, 0x01, 0x07}},
      {"IDTR_READ", {0x0f, 0x01, 0x0f}},
      {"GDTR_WRITE", {0x0f, 0x01, 0x17}},
      {"IDTR_WRITE", {0x0f, 0x01, 0x1f}},
      {"LDTR_READ", {0x0f, 0x00, 0xc0}},
      {"TR_READ", {0x0f, 0x00, 0xc8}},
      {"LDTR_WRITE", {0x0f, 0x00, 0xd0}},
      {"TR_WRITE", {0x0f, 0x00, 0xd8}},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    SvmMachine m;
    m.code(c.code);
    m.intercept(c.name);
    m.cpu.r[RDI] = kGuestData;
    m.cpu.r[RCX] = 0;
    EXPECT_EQ(m.run(10), find_intercept(c.name)->exit);
    EXPECT_EQ(m.guest_rip(), kGuestCode);
    EXPECT_EQ(m.vmcb().get<Field::NRip>(), kGuestCode + c.code.size());
  }
}

TEST(GuestRun, ControlRegisterAccesses) {
  SvmMachine m;
  m.code({0x0f, 0x20, 0xc3});  // mov rbx, cr0
  m.vmcb().put<Field::CrReads>(1);
  EXPECT_EQ(m.run(), ExitCode::ReadCr0);
  EXPECT_EQ(m.info1(), u64{1} << 63 | RBX);
  m.code({0x0f, 0x22, 0xde});  // mov cr3, rsi
  m.vmcb().put<Field::CrWrites>(1 << 3);
  EXPECT_EQ(m.run(), plus(ExitCode::WriteCr0, 3));
  EXPECT_EQ(m.info1(), u64{1} << 63 | RSI);
  m.code({0x0f, 0x06});  // clts
  m.vmcb().put<Field::CrWrites>(1);
  EXPECT_EQ(m.run(), ExitCode::WriteCr0);
  EXPECT_EQ(m.info1(), 0u);
  m.code({0x0f, 0x21, 0xc2});  // mov rdx, dr0
  m.vmcb().put<Field::DrReads>(1);
  EXPECT_EQ(m.run(), ExitCode::ReadDr0);
  EXPECT_EQ(m.info1(), RDX);
}

TEST(GuestRun, SelectiveCr0WriteIgnoresTsAndMp) {
  SvmMachine m;
  m.intercept("CR0_SEL_WRITE");
  m.code({0x0f, 0x22, 0xc3, 0x0f, 0x22, 0xc1});  // mov cr0, rbx; mov cr0, rcx
  m.cpu.r[RBX] = m.vmcb().get<Field::Cr0>() | cr0::TS | cr0::MP;
  m.cpu.r[RCX] = m.cpu.r[RBX] | cr0::AM;
  EXPECT_EQ(m.run(), ExitCode::Cr0SelWrite);
  EXPECT_EQ(m.guest_rip(), kGuestCode + 3);
}

TEST(GuestRun, IoInterceptsByMap) {
  SvmMachine m;
  m.intercept("IOIO_PROT");
  m.code({0xe6, 0x80, 0xe5, 0x5f, 0x0f, 0x01, 0xd9});  // out 0x80, al; in eax, 0x5f; vmmcall
  m.poke(test::kIopm + 0x62 / 8, 1 << (0x62 & 7), 1);
  EXPECT_EQ(m.run(), ExitCode::Ioio) << "the last byte of the access is in port 62H";
  EXPECT_EQ(m.info1(), u64{0x5f} << 16 | 1 << 6 | 1 << 9 | 1);
  EXPECT_EQ(m.info2(), kGuestCode + 4);
  m.code({0xf3, 0x6e});  // rep outsb
  m.vmcb().put<Field::Rip>(kGuestCode);
  m.poke(test::kIopm + 0x3f8 / 8, 1, 1);
  m.cpu.r[RDX] = 0x3f8;
  m.cpu.r[RCX] = 4;
  m.cpu.r[RSI] = kGuestData;
  EXPECT_EQ(m.run(), ExitCode::Ioio);
  EXPECT_EQ(m.info1(), u64{0x3f8} << 16 | 3 << 10 | 1 << 9 | 1 << 4 | 1 << 3 | 1 << 2);
}

TEST(GuestRun, MsrInterceptsByMap) {
  SvmMachine m;
  m.intercept("MSR_PROT");
  m.code({0x0f, 0x32, 0x0f, 0x30});                                     // rdmsr; wrmsr
  m.cpu.r[RCX] = 0xc0000082;                                            // LSTAR
  m.poke(test::kMsrpm + 0x800 + 0x82 * 2 / 8, 2 << (0x82 * 2 % 8), 1);  // writes only
  EXPECT_EQ(m.run(), ExitCode::Msr);
  EXPECT_EQ(m.info1(), 1u);
  EXPECT_EQ(m.guest_rip(), kGuestCode + 2);
  m.vmcb().put<Field::Rip>(kGuestCode);
  m.cpu.r[RCX] = 0x40000000;  // in no range: always
  EXPECT_EQ(m.run(), ExitCode::Msr);
  EXPECT_EQ(m.info1(), 0u);
}

TEST(GuestRun, ExceptionIntercepts) {
  SvmMachine m;
  m.vmcb().put<Field::Exceptions>(1 << 14 | 1 << 6 | 1 << 3);
  m.code({0x48, 0x8b, 0x04, 0x25, 0x00, 0x00, 0x00, 0x70});  // mov rax, [0x70000000]
  EXPECT_EQ(m.run(), exception_exit(Vector::PF));
  EXPECT_EQ(m.info1(), 0u);
  EXPECT_EQ(m.info2(), 0x70000000u);
  EXPECT_EQ(m.vmcb().get<Field::Cr2>(), 0u);
  EXPECT_EQ(m.vmcb().get<Field::NRip>(), 0u);
  EXPECT_EQ(m.vmcb().get<Field::BytesFetched>(), 15);
  EXPECT_EQ(m.vmcb().get<Field::InstructionBytesLow>(), 0x7000000025048b48u);
  m.code({0x0f, 0x0b});
  EXPECT_EQ(m.run(), exception_exit(Vector::UD));
  EXPECT_EQ(m.vmcb().get<Field::BytesFetched>(), 0);
  m.code({0xcc});
  EXPECT_EQ(m.run(), exception_exit(Vector::BP));
  EXPECT_EQ(m.guest_rip(), kGuestCode);
  EXPECT_EQ(m.vmcb().get<Field::NRip>(), kGuestCode + 1);
}

TEST(GuestRun, FaultDuringDeliveryIsInExitIntInfo) {
  SvmMachine m;
  m.vmcb().put<Field::Exceptions>(1 << 14);
  m.vmcb().put<Field::IdtrBase>(0x70000000);
  m.code({0x0f, 0x0b});
  EXPECT_EQ(m.run(), exception_exit(Vector::PF));
  EXPECT_EQ(m.vmcb().get<Field::ExitIntInfo>(), kV | 3 << 8 | 6);
}

TEST(GuestRun, TripleFaultIsShutdown) {
  SvmMachine m;
  m.vmcb().put<Field::IdtrLimit>(0);
  m.code({0x0f, 0x0b});
  EXPECT_EQ(m.run(), ExitCode::Shutdown);
  EXPECT_EQ(m.cpu.activity, Activity::Active);
}

TEST(GuestRun, InjectedEvents) {
  struct Case {
    u64 field;
    unsigned vector;
    u64 pushed_rip;
    bool error;
  };
  const Case kCases[] = {
      {kV | 0x40, 0x40, kGuestCode, false},
      {kV | 2 << 8 | 0x99, 2, kGuestCode, false},
      {kV | 3 << 8 | 14 | event::ErrorValid | u64{5} << 32, 14, kGuestCode, true},
      {kV | 3 << 8 | 3, 3, kGuestCode + 1, false},
      {kV | 4 << 8 | 0x80, 0x80, kGuestCode + 1, false},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.vector);
    SvmMachine m;
    m.code({0x90, 0x90});
    m.vmcb().put<Field::EventInj>(c.field);
    m.vmcb().put<Field::NRip>(kGuestCode + 1);
    m.vmcb().put<Field::Cr2>(0x1234);
    EXPECT_EQ(m.run(), ExitCode::Vmmcall);
    EXPECT_EQ(m.guest_rip(), kHandlers + c.vector * 16);
    const u64 rsp = m.vmcb().get<Field::Rsp>();
    EXPECT_EQ(rsp, kGuestStack - (c.error ? 48 : 40));
    if (c.error) {
      EXPECT_EQ(m.peek64(rsp), 5u);
    }
    EXPECT_EQ(m.peek64(rsp + (c.error ? 8 : 0)), c.pushed_rip);
    EXPECT_EQ(m.vmcb().get<Field::EventInj>() & kV, 0u);
    EXPECT_EQ(m.vmcb().get<Field::Cr2>(), 0x1234u);
  }
}

TEST(GuestRun, InjectionThatFaultsExits) {
  SvmMachine m;
  m.vmcb().put<Field::Exceptions>(1 << 13);
  m.vmcb().put<Field::IdtrLimit>(0xf);
  m.vmcb().put<Field::EventInj>(kV | 0x40);
  EXPECT_EQ(vmrun(m.cpu, test::kVmcb), VmrunResult::Exited);
  EXPECT_EQ(m.exit_code(), 0x40u + 13);
  EXPECT_EQ(m.vmcb().get<Field::ExitIntInfo>(), kV | 0x40);
}

TEST(GuestRun, VirtualInterruptWaitsForIfAndTpr) {
  SvmMachine m;
  m.code({0x90, 0xfb, 0x90, 0x90, 0x0f, 0x01, 0xd9});  // nop; sti; nop; nop; vmmcall
  m.vmcb().put<Field::VIrq>(virq::Pending);
  m.vmcb().put<Field::VIntrPriority>(8);
  m.vmcb().put<Field::VIntrVector>(0x50);
  m.vmcb().put<Field::VIntrMasking>(1);
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(m.guest_rip(), kHandlers + 0x500);
  EXPECT_EQ(m.peek64(m.vmcb().get<Field::Rsp>()), kGuestCode + 3) << "one instruction behind STI";
  EXPECT_EQ(m.vmcb().get<Field::VIrq>(), 0);

  SvmMachine masked;
  masked.code({0xfb, 0x90, 0x90, 0x0f, 0x01, 0xd9});
  masked.vmcb().put<Field::VIrq>(virq::Pending);
  masked.vmcb().put<Field::VIntrPriority>(8);
  masked.vmcb().put<Field::VTpr>(8);
  EXPECT_EQ(masked.run(), ExitCode::Vmmcall);
  EXPECT_EQ(masked.guest_rip(), kGuestCode + 3);
  EXPECT_EQ(masked.vmcb().get<Field::VIrq>(), virq::Pending);
}

TEST(GuestRun, VirtualInterruptWindow) {
  SvmMachine m;
  m.intercept("VINTR");
  m.code({0xfb, 0x90, 0x90, 0x0f, 0x01, 0xd9});
  m.vmcb().put<Field::VIrq>(virq::Pending);
  m.vmcb().put<Field::VIntrPriority>(virq::IgnoreTpr);
  EXPECT_EQ(m.run(), ExitCode::Vintr);
  EXPECT_EQ(m.guest_rip(), kGuestCode + 2);
  EXPECT_EQ(m.vmcb().get<Field::VIrq>(), virq::Pending);
}

TEST(GuestRun, ShadowOfTheVmcbHoldsOneInstruction) {
  SvmMachine m;
  m.code({0x90, 0x90, 0x0f, 0x01, 0xd9});
  m.vmcb().put<Field::Rflags>(2 | rflags::IF);
  m.vmcb().put<Field::InterruptShadow>(1);
  m.vmcb().put<Field::VIrq>(virq::Pending);
  m.vmcb().put<Field::VIntrPriority>(15);
  m.vmcb().put<Field::VIntrVector>(0x50);
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(m.guest_rip(), kHandlers + 0x500);
  EXPECT_EQ(m.peek64(m.vmcb().get<Field::Rsp>()), kGuestCode + 1);
}

TEST(GuestRun, ShadowIsSavedWhenItsInstructionExits) {
  SvmMachine m;
  m.intercept("HLT");
  m.code({0xfb, 0xf4});  // sti; hlt
  EXPECT_EQ(m.run(), ExitCode::Hlt);
  EXPECT_EQ(m.vmcb().get<Field::InterruptShadow>(), 1u);
  m.code({0xfb, 0x90, 0xf4});
  m.vmcb().put<Field::Rip>(kGuestCode);
  m.vmcb().put<Field::InterruptShadow>(0);
  m.vmcb().put<Field::Rflags>(2);
  EXPECT_EQ(m.run(), ExitCode::Hlt);
  EXPECT_EQ(m.vmcb().get<Field::InterruptShadow>(), 0u);
}

TEST(GuestRun, Cr8IsVtprUnderMasking) {
  SvmMachine m;
  m.vmcb().put<Field::VIntrMasking>(1);
  m.vmcb().put<Field::VTpr>(3);
  // mov rax, cr8; mov rbx, 9; mov cr8, rbx; vmmcall
  m.code({0x44, 0x0f, 0x20, 0xc0, 0xbb, 0x09, 0, 0, 0, 0x44, 0x0f, 0x22, 0xc3, 0x0f, 0x01, 0xd9});
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(m.vmcb().get<Field::Rax>(), 3u);
  EXPECT_EQ(m.vmcb().get<Field::VTpr>(), 9);
}

TEST(GuestRun, NmiInterceptLeavesItPendingForTheHost) {
  SvmMachine m;
  m.intercept("NMI");
  m.code({0xeb, 0xfe});
  m.cpu.nmi_pending = true;
  EXPECT_EQ(m.run(), ExitCode::Nmi);
  EXPECT_EQ(m.guest_rip(), kGuestCode);
  EXPECT_TRUE(m.cpu.nmi_pending);
  stgi(m.cpu);
  m.cpu.stop_on_vm_exit = false;
  m.cpu.run(0);
  EXPECT_FALSE(m.cpu.nmi_pending);
  EXPECT_EQ(m.cpu.rip, kHandlers + 2 * 16);
}

// The INTR pin, held until the vector is taken.
struct PinBus : Bus {
  u32 port_in(u16, unsigned) override { return 0; }
  void port_out(u16, u32, unsigned) override {}
  bool extint_pending() override { return pending; }
  u8 extint_acknowledge() override {
    pending = false;
    return 0x60;
  }
  bool pending = true;
};

struct Interrupted : SvmMachine {
  explicit Interrupted(bool masking, bool host_if, bool guest_if) {
    cpu.bus = &pin;
    cpu.irq_hint = true;
    code({0xeb, 0xfe});
    vmcb().put<Field::VIntrMasking>(masking ? 1 : 0);
    vmcb().put<Field::Rflags>(guest_if ? 2 | rflags::IF : 2);
    cpu.set_flags(host_if ? 2 | rflags::IF : 2);
  }
  PinBus pin;
};

TEST(GuestRun, PhysicalInterruptsAreInterceptedByTheIfThatRules) {
  for (unsigned i = 0; i < 8; ++i) {
    SCOPED_TRACE(i);
    const bool masking = i & 1, host_if = i & 2, guest_if = i & 4;
    Interrupted m(masking, host_if, guest_if);
    m.intercept("INTR");
    m.run(100);
    const bool expected = masking ? host_if : guest_if;
    EXPECT_EQ(m.cpu.guest_mode, !expected);
    if (expected) {
      EXPECT_EQ(static_cast<ExitCode>(m.exit_code()), ExitCode::Intr);
    }
    EXPECT_TRUE(m.pin.pending) << "stays pending for the host";
  }
}

TEST(GuestRun, PhysicalInterruptGoesToTheGuestWithoutIntercept) {
  Interrupted m(false, false, true);
  EXPECT_EQ(m.run(100), ExitCode::Vmmcall);
  EXPECT_EQ(m.guest_rip(), kHandlers + 0x600);
  EXPECT_FALSE(m.pin.pending);
}

TEST(GuestRun, PauseFilterCounts) {
  SvmMachine m;
  m.intercept("PAUSE");
  m.code({0xf3, 0x90, 0xff, 0xc1, 0xeb, 0xfa});  // pause; inc ecx; jmp
  m.vmcb().put<Field::PauseFilterCount>(9);
  m.cpu.r[RCX] = 0;
  EXPECT_EQ(m.run(), ExitCode::Pause);
  EXPECT_EQ(m.cpu.r[RCX], 9u);
}

TEST(GuestRun, TscOffset) {
  SvmMachine m;
  m.code({0x0f, 0x31, 0x0f, 0x01, 0xd9});
  m.vmcb().put<Field::TscOffset>(u64{5} << 32);
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(m.cpu.r[RDX], 5u);
  EXPECT_EQ(m.cpu.guest_tsc_offset, 0u);
}

TEST(GuestRun, CorruptHostSaveAreaIsShutdown) {
  SvmMachine m;
  m.code({0x48, 0x89, 0x07, 0x0f, 0x01, 0xd9});  // mov [rdi], rax; vmmcall
  m.cpu.r[RDI] = test::kHostSave + 0x558;        // CR0 of the host
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(m.cpu.activity, Activity::Shutdown);
}

TEST(GuestRun, VmloadCanonicalizes) {
  SvmMachine m;
  m.vmcb().put<Field::FsBase>(u64{0xfe00} << 48 | 0x1000);
  EXPECT_TRUE(vmload(m.cpu, test::kVmcb));
  EXPECT_EQ(m.cpu.seg[4].base, 0x1000u);
  EXPECT_EQ(m.cpu.r[slot::kSegBase + 4], 0x1000u);
  EXPECT_TRUE(vmsave(m.cpu, test::kVmcb));
  EXPECT_EQ(m.vmcb().get<Field::FsBase>(), 0x1000u);
}

TEST(GuestRun, RsmInterceptPrecedesUd) {
  SvmMachine m;
  m.code({0x0f, 0xaa});
  m.intercept("RSM");
  EXPECT_EQ(m.run(), ExitCode::Rsm);
  EXPECT_EQ(m.guest_rip(), kGuestCode);
}

TEST(GuestRun, SmiInterceptLeavesItPending) {
  SvmMachine m;
  m.code({0xeb, 0xfe});
  m.intercept("SMI");
  m.cpu.smi_pending = true;
  EXPECT_EQ(m.run(), ExitCode::Smi);
  EXPECT_TRUE(m.cpu.smi_pending);
  EXPECT_FALSE(m.cpu.gif);
}

TEST(GuestRun, HostTrapFlagTrapsBehindVmrun) {
  SvmMachine m;
  m.code({0x0f, 0x01, 0xd9});
  m.cpu.set_flags(rflags::Fixed1 | rflags::TF);
  EXPECT_EQ(m.run(), ExitCode::Vmmcall);
  EXPECT_EQ(m.guest_rip(), kGuestCode) << "nothing of it is seen in the guest";
  EXPECT_EQ(m.cpu.pending_dr6, u64{1} << 14);
}

}  // namespace
}  // namespace softvt::svm
