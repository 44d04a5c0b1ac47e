// Guests that really run: entries, exits of each kind, injection, windows, timers.
#include "cpu/insn/rows.h"
#include "cpu/msr/rows.h"
#include "cpu/seg/rows.h"
#include "cpu/sys/rows.h"
#include "tests/vmx/vmx_machine.h"
#include "vmx/instructions.h"

namespace softvt::vmx {
namespace {

struct Guest : test::VmxMachine {
  Guest() : cache(mem), jumps(kJumpEntries) {
    for (const auto rows : {integer_rows(), segment_rows(), system_rows(), vmx_rows()})
      isa.add(rows);
    msrs.add(core_msr_rows());
    msrs.add(vmx_msr_rows());
    cpu.isa = &isa;
    cpu.msrs = &msrs;
    cpu.code = &cache;
    cpu.jumps = jumps.data();
    cache.attach({tlbs.get(), &cpu});
    cpu.update_mode();
    cpu.stop_on_vm_exit = true;
  }
  // Enters and runs to the next exit.
  ExitReason enter() {
    const bool launch = vmx->current().launch_state() == LaunchState::Clear;
    const VmResult r = launch ? vmx->vmlaunch(cpu) : vmx->vmresume(cpu);
    EXPECT_TRUE(r.ok()) << insn_error_text(static_cast<u32>(r.error))
                        << failure_report("", context(), CheckClass::Control)
                        << failure_report("", context(), CheckClass::Host);
    if (cpu.guest_mode) cpu.run(1000000);
    EXPECT_FALSE(cpu.guest_mode);
    return static_cast<ExitReason>(read(Field::VM_EXIT_REASON) & 0xffff);
  }
  void skip() {
    write(Field::GUEST_RIP, read(Field::GUEST_RIP) + read(Field::VM_EXIT_INSTRUCTION_LEN));
  }
  void gate64(u8 vector, u64 handler) {
    put(test::kGuestIdt + 16 * vector,
        (handler & 0xffff) | 8 << 16 | u64{0x8e00} << 32 | (handler >> 16 & 0xffff) << 48);
    put(test::kGuestIdt + 16 * vector + 8, handler >> 32);
  }
  void guest_gdt() {
    put(test::kGuestGdt + 8, 0x00af9b000000ffff);
    put(test::kGuestGdt + 16, 0x00cf93000000ffff);
  }

  InstructionSet isa;
  MsrTable msrs;
  CodeCache cache;
  std::vector<JumpEntry> jumps;
};

TEST(GuestRun, VmcallExitsAndResumes) {
  Guest g;
  g.code({0xb8, 5, 0, 0, 0, 0x0f, 0x01, 0xc1, 0xff, 0xc0, 0x0f, 0x01, 0xc1});  // MOV, VMCALL, INC
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
  EXPECT_EQ(g.read(Field::VM_EXIT_INSTRUCTION_LEN), 3u);
  EXPECT_EQ(g.read(Field::GUEST_RIP), test::kGuestCode + 5);
  EXPECT_EQ(g.cpu.r[RAX], 5u);
  EXPECT_EQ(g.cpu.rip, test::kHostRip);
  g.skip();
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
  EXPECT_EQ(g.cpu.r[RAX], 6u);
}

TEST(GuestRun, UnconditionalAndConditionalExits) {
  Guest g;
  g.code({0x0f, 0xa2, 0xf4, 0x0f, 0x31, 0x0f, 0x01, 0xc1});  // CPUID, HLT, RDTSC, VMCALL
  EXPECT_EQ(g.enter(), ExitReason::Cpuid);
  g.skip();
  EXPECT_EQ(g.enter(), ExitReason::Hlt);
  g.skip();
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);  // RDTSC does not exit
  g.write(Field::GUEST_RIP, test::kGuestCode + 3);
  g.control(Control::RdtscExiting, true);
  EXPECT_EQ(g.enter(), ExitReason::Rdtsc);
}

TEST(GuestRun, TscOffset) {
  Guest g;
  g.control(Control::TscOffsetting, true);
  g.write(Field::TSC_OFFSET, u64{1} << 60);
  g.code({0x0f, 0x31, 0x0f, 0x01, 0xc1});
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
  EXPECT_EQ(g.cpu.r[RDX] >> 28, 1u);
  EXPECT_LT(g.cpu.tsc(), u64{1} << 60);
}

TEST(GuestRun, EptViolation) {
  Guest g;
  g.put(test::kEpt + 0x2000 + 8, 0);                   // 2..4 MiB is not there
  g.code({0x48, 0x8b, 0x04, 0x25, 0x08, 0, 0x20, 0});  // MOV RAX, [200008H]
  EXPECT_EQ(g.enter(), ExitReason::EptViolation);
  EXPECT_EQ(g.read(Field::GUEST_PHYSICAL_ADDRESS), 0x200008u);
  EXPECT_EQ(g.read(Field::GUEST_LINEAR_ADDRESS), 0x200008u);
  EXPECT_EQ(g.read(Field::EXIT_QUALIFICATION), 0x181u);
  EXPECT_EQ(g.read(Field::GUEST_RIP), test::kGuestCode);
  g.put(test::kEpt + 0x2000 + 8, 0x200000 | 0xb2);  // writable, not readable
  EXPECT_EQ(g.enter(), ExitReason::EptMisconfiguration);
  g.put(test::kEpt + 0x2000 + 8, 0x200000 | 0xb7);
  g.code({0x48, 0x8b, 0x04, 0x25, 0x08, 0, 0x20, 0, 0x0f, 0x01, 0xc1});
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
}

TEST(GuestRun, ExceptionBitmap) {
  Guest g;
  g.write(Field::EXCEPTION_BITMAP, 1 << 6);
  g.code({0x0f, 0x0b});
  EXPECT_EQ(g.enter(), ExitReason::ExceptionOrNmi);
  EXPECT_EQ(g.read(Field::VM_EXIT_INTR_INFO), 0x80000306u);
}

TEST(GuestRun, TripleFault) {
  Guest g;
  g.write(Field::GUEST_IDTR_LIMIT, 0);
  g.code({0x0f, 0x0b});
  EXPECT_EQ(g.enter(), ExitReason::TripleFault);
}

TEST(GuestRun, InjectionRunsTheHandler) {
  Guest g;
  g.guest_gdt();
  g.gate64(0x30, test::kGuestCode + 0x100);
  g.code({0x0f, 0x01, 0xc1});
  const u8 handler[] = {0x0f, 0x01, 0xc1};
  g.mem.write(test::kGuestCode + 0x100, handler, 3);
  g.write(Field::GUEST_RFLAGS, rflags::IF | 2);
  g.write(Field::VM_ENTRY_INTR_INFO, 0x80000030);
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
  EXPECT_EQ(g.read(Field::GUEST_RIP), test::kGuestCode + 0x100);
  EXPECT_EQ(g.read(Field::VM_ENTRY_INTR_INFO) >> 31, 0u);
  u64 pushed = 0;
  g.mem.read(test::kGuestStack - 40, &pushed, 8);
  EXPECT_EQ(pushed, test::kGuestCode);
}

TEST(GuestRun, ExitDuringInjectionReportsTheEvent) {
  Guest g;
  g.guest_gdt();
  g.gate64(0x30, test::kGuestCode);
  g.write(Field::GUEST_RSP, 0x208000);
  g.put(test::kEpt + 0x2000 + 8, 0);
  g.write(Field::GUEST_RFLAGS, rflags::IF | 2);
  g.write(Field::VM_ENTRY_INTR_INFO, 0x80000030);
  EXPECT_EQ(g.enter(), ExitReason::EptViolation);
  EXPECT_EQ(g.read(Field::IDT_VECTORING_INFO_FIELD), 0x80000030u);
}

TEST(GuestRun, BadGuestStateIsAnExit) {
  Guest g;
  std::string report;
  g.vmx->on_entry_failure = [&](const std::string& text) { report = text; };
  g.write(Field::VMCS_LINK_POINTER, 0x123);
  EXPECT_TRUE(g.vmx->vmlaunch(g.cpu).ok());
  EXPECT_FALSE(g.cpu.guest_mode);
  EXPECT_EQ(g.read(Field::VM_EXIT_REASON), 33u | kEntryFailure);
  EXPECT_EQ(g.read(Field::EXIT_QUALIFICATION), 4u);
  EXPECT_EQ(g.cpu.rip, test::kHostRip);
  EXPECT_NE(report.find("guest.link_pointer.address"), std::string::npos);
  EXPECT_EQ(g.vmx->current().launch_state(), LaunchState::Clear);
}

TEST(GuestRun, BadControlsAndHostFailValid) {
  Guest g;
  g.write(Field::CR3_TARGET_COUNT, 5);
  EXPECT_EQ(g.vmx->vmlaunch(g.cpu).error, InsnError::EntryInvalidControls);
  g.write(Field::CR3_TARGET_COUNT, 0);
  g.write(Field::HOST_TR_SELECTOR, 0);
  EXPECT_EQ(g.vmx->vmlaunch(g.cpu).error, InsnError::EntryInvalidHostState);
  EXPECT_EQ(g.read(Field::VM_INSTRUCTION_ERROR), 8u);
  g.write(Field::HOST_TR_SELECTOR, 24);
  EXPECT_EQ(g.vmx->vmresume(g.cpu).error, InsnError::VmresumeNotLaunched);
}

TEST(GuestRun, PreemptionTimer) {
  Guest g;
  g.control(Control::PreemptionTimer, true);
  g.control(Control::SavePreemptionTimer, true);
  g.write(Field::VMX_PREEMPTION_TIMER_VALUE, 0);
  g.code({0xeb, 0xfe});
  EXPECT_EQ(g.enter(), ExitReason::PreemptionTimer);
  EXPECT_EQ(g.read(Field::GUEST_RIP), test::kGuestCode);
  g.write(Field::VMX_PREEMPTION_TIMER_VALUE, 100);
  g.vmx->vmresume(g.cpu);
  for (int i = 0; i < 10000 && g.cpu.guest_mode; ++i) {
    g.cpu.run(100);
    g.timeline.fire_due();
  }
  EXPECT_FALSE(g.cpu.guest_mode);
  EXPECT_EQ(g.reason(), ExitReason::PreemptionTimer);
  EXPECT_EQ(g.read(Field::VMX_PREEMPTION_TIMER_VALUE), 0u);
}

TEST(GuestRun, InterruptWindow) {
  Guest g;
  g.control(Control::InterruptWindowExiting, true);
  g.code({0x90, 0xfb, 0x90, 0x90, 0x0f, 0x01, 0xc1});  // NOP, STI, NOP, NOP, VMCALL
  EXPECT_EQ(g.enter(), ExitReason::InterruptWindow);
  EXPECT_EQ(g.read(Field::GUEST_RIP), test::kGuestCode + 3);
}

TEST(GuestRun, CrAccess) {
  Guest g;
  g.write(Field::CR0_GUEST_HOST_MASK, cr0::TS);
  g.write(Field::CR0_READ_SHADOW, cr0::TS);
  g.code({0x0f, 0x20, 0xc0, 0x0f, 0x06});  // MOV RAX, CR0; CLTS
  EXPECT_EQ(g.enter(), ExitReason::ControlRegisterAccess);
  EXPECT_TRUE(g.cpu.r[RAX] & cr0::TS);
  EXPECT_EQ(g.read(Field::EXIT_QUALIFICATION), 0x20u);
}

TEST(GuestRun, MsrAndIoBitmaps) {
  Guest g;
  g.code({0xb9, 0x82, 0, 0, 0xc0, 0x0f, 0x32, 0x0f, 0x01, 0xc1});  // RDMSR LSTAR
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
  const u8 all = 0xff;
  g.mem.write(test::kMsrBitmap + 0x400 + 0x82 / 8, &all, 1);
  g.write(Field::GUEST_RIP, test::kGuestCode);
  EXPECT_EQ(g.enter(), ExitReason::Rdmsr);
  g.code({0xe6, 0x80, 0xe4, 0x70});  // OUT 80H, AL; IN AL, 70H
  g.control(Control::IoBitmaps, true);
  g.mem.write(test::kIoBitmapA + 0x70 / 8, &all, 1);
  g.write(Field::GUEST_RIP, test::kGuestCode);
  EXPECT_EQ(g.enter(), ExitReason::IoInstruction);
  EXPECT_EQ(g.read(Field::EXIT_QUALIFICATION), 0x700048u);
}

TEST(GuestRun, MsrAreas) {
  Guest g;
  g.code({0x0f, 0x01, 0xc1});
  g.put(test::kMsrArea, 0xc0000082);
  g.put(test::kMsrArea + 8, 0x1234);
  g.write(Field::VM_ENTRY_MSR_LOAD_ADDR, test::kMsrArea);
  g.write(Field::VM_ENTRY_MSR_LOAD_COUNT, 1);
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
  EXPECT_EQ(g.cpu.msr.lstar, 0x1234u);
  g.put(test::kMsrArea, 0xc0000100);
  g.vmx->vmresume(g.cpu);
  EXPECT_EQ(g.read(Field::VM_EXIT_REASON), 34u | kEntryFailure);
  EXPECT_EQ(g.read(Field::EXIT_QUALIFICATION), 1u);
}

TEST(GuestRun, NmiAndVirtualNmis) {
  Guest g;
  g.code({0xeb, 0xfe});
  g.cpu.nmi_pending = true;
  EXPECT_EQ(g.enter(), ExitReason::ExceptionOrNmi);
  EXPECT_EQ(g.read(Field::VM_EXIT_INTR_INFO), 0x80000202u);
  EXPECT_TRUE(g.cpu.nmi_blocked);
}

TEST(GuestRun, RealModeGuest) {
  Guest g;
  g.control(Control::Ia32eModeGuest, false);
  g.write(Field::GUEST_IA32_EFER, 0);
  g.write(Field::GUEST_CR0, 0x30);
  g.write(Field::GUEST_RIP, 0);
  for (unsigned i = 0; i < 6; ++i) {
    const auto at = [i](Field es) { return static_cast<Field>(static_cast<u32>(es) + 2 * i); };
    g.write(at(Field::GUEST_ES_SELECTOR), 0x4000);
    g.write(at(Field::GUEST_ES_BASE), 0x40000);
    g.write(at(Field::GUEST_ES_LIMIT), 0xffff);
    g.write(at(Field::GUEST_ES_AR_BYTES), i == 1 ? 0x9b : 0x93);
  }
  g.code({0xb8, 0x34, 0x12, 0x0f, 0x01, 0xc1});
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
  EXPECT_EQ(g.cpu.r[RAX] & 0xffff, 0x1234u);
  EXPECT_EQ(g.read(Field::GUEST_RIP), 3u);
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
}

// The hypervisor is emulated code too: VMREAD, VMLAUNCH, and VMREAD behind the exit.
TEST(GuestRun, EmulatedHypervisor) {
  Guest g;
  constexpr u64 kLaunch = 0x61000;
  const u8 launch[] = {0xbb, 0x1e, 0x68, 0, 0, 0x0f, 0x78, 0xd8, 0x0f, 0x01, 0xc2};
  const u8 after[] = {0xbb, 0x02, 0x44, 0, 0, 0x0f, 0x78, 0xd9, 0xf4};
  g.mem.write(kLaunch, launch, sizeof(launch));
  g.mem.write(test::kHostRip, after, sizeof(after));
  g.code({0x0f, 0x01, 0xc1});
  g.cpu.stop_on_vm_exit = false;
  g.cpu.rip = kLaunch;
  EXPECT_EQ(g.cpu.run(1000), RunStop::Halted);
  EXPECT_EQ(g.cpu.r[RAX], test::kGuestCode);
  EXPECT_EQ(g.cpu.r[RCX], 18u);
  EXPECT_EQ(g.cpu.rip, test::kHostRip + sizeof(after));
}

TEST(GuestRun, VmlaunchWithoutVmcsFailsInvalid) {
  Guest g;
  const u8 launch[] = {0x0f, 0x01, 0xc2, 0xf4};
  g.mem.write(0x61000, launch, sizeof(launch));
  g.vmx->vmclear(g.cpu, test::kVmcs);
  g.cpu.stop_on_vm_exit = false;
  g.cpu.rip = 0x61000;
  EXPECT_EQ(g.cpu.run(100), RunStop::Halted);
  EXPECT_TRUE(g.cpu.flags() & rflags::CF);
  EXPECT_FALSE(g.cpu.flags() & rflags::ZF);
}

TEST(GuestRun, MonitorTrapFlagWithPendingMtf) {
  Guest g;
  g.code({0x90, 0x90, 0x0f, 0x01, 0xc1});
  g.write(Field::VM_ENTRY_INTR_INFO, 0x80000700);
  EXPECT_EQ(g.enter(), ExitReason::MonitorTrapFlag);
  EXPECT_EQ(g.read(Field::GUEST_RIP), test::kGuestCode);
  g.control(Control::MonitorTrapFlag, true);
  EXPECT_EQ(g.enter(), ExitReason::MonitorTrapFlag);
  EXPECT_EQ(g.read(Field::GUEST_RIP), test::kGuestCode + 1);
}

// Random VMWRITEs, random guest memory where the VMCS is: nothing may crash, and every entry ends.
TEST(GuestRun, HostileVmcs) {
  u64 seed = 1;
  const auto random = [&seed] { return seed = seed * 6364136223846793005 + 1442695040888963407; };
  for (int round = 0; round < 300; ++round) {
    Guest g;
    g.code({0x0f, 0x31, 0x0f, 0xa2, 0x48, 0x8b, 0x03, 0xeb, 0xf7});
    g.enter();
    for (int i = 0; i < 6; ++i) {
      const FieldRow& row = kFieldRows[(random() >> 33) % kFieldCount];
      g.vmx->vmwrite(g.cpu, row.field,
                     g.vmx->current().get(row.field) ^ u64{1} << (random() >> 58));
      const unsigned at = kFieldArea + (random() >> 33) % (8 * kFieldCount);
      g.vmx->current().region()[at] ^= static_cast<u8>(1 << (random() >> 61));
      if (g.vmx->vmresume(g.cpu).ok() && g.cpu.guest_mode) g.cpu.run(200);
      if (g.cpu.guest_mode) g.vmx->triple_fault(g.cpu);
    }
  }
}

TEST(Instructions, PointersAndErrors) {
  test::VmxMachine m;
  EXPECT_EQ(m.vmx->vmptrld(m.cpu, 0x123).error, InsnError::VmptrldInvalidAddress);
  EXPECT_EQ(m.vmx->vmptrld(m.cpu, test::kVmxon).error, InsnError::VmptrldVmxonPointer);
  EXPECT_EQ(m.vmx->vmptrld(m.cpu, 0x15000).error, InsnError::VmptrldWrongRevision);
  EXPECT_EQ(m.vmx->vmclear(m.cpu, test::kVmxon).error, InsnError::VmclearVmxonPointer);
  EXPECT_EQ(m.vmx->vmwrite(m.cpu, Field::VM_EXIT_REASON, 1).error, InsnError::ReadOnlyField);
  EXPECT_EQ(m.vmx->vmwrite(m.cpu, u64{0x7ffe}, 1).error, InsnError::UnsupportedField);
  EXPECT_EQ(m.read(Field::VM_INSTRUCTION_ERROR), 12u);
  u64 pa = 0;
  m.vmx->vmptrst(m.cpu, pa);
  EXPECT_EQ(pa, test::kVmcs);
  EXPECT_TRUE(m.vmx->vmclear(m.cpu, test::kVmcs).ok());
  EXPECT_EQ(m.vmx->vmread(m.cpu, Field::GUEST_RIP, pa), kVmFailInvalid);
  EXPECT_EQ(m.vmx->vmlaunch(m.cpu), kVmFailInvalid);
}

TEST(Instructions, HighHalves) {
  test::VmxMachine m;
  m.write(Field::TSC_OFFSET, 0x1111111122222222);
  u64 value = 0;
  EXPECT_TRUE(m.vmx->vmread(m.cpu, u64{0x2011}, value).ok());
  EXPECT_EQ(value, 0x11111111u);
  EXPECT_TRUE(m.vmx->vmwrite(m.cpu, u64{0x2011}, 0x33333333).ok());
  EXPECT_EQ(m.read(Field::TSC_OFFSET), 0x3333333322222222u);
}

TEST(GuestRun, MonitorTrapFlagStepsOneInstruction) {
  Guest g;
  g.code({0x0f, 0x01, 0xc1, 0x90, 0x90});
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
  g.skip();
  g.control(Control::MonitorTrapFlag, true);
  g.write(Field::GUEST_RFLAGS, g.read(Field::GUEST_RFLAGS) | rflags::TF);
  // VMRESUME as the host executes it: instructions are counted up to behind it.
  g.cpu.budget = g.cpu.slice = 1000;
  EXPECT_TRUE(g.vmx->vmresume(g.cpu).ok());
  g.cpu.run(1000);
  EXPECT_EQ(g.reason(), ExitReason::MonitorTrapFlag);
  EXPECT_EQ(g.read(Field::GUEST_RIP), test::kGuestCode + 4);
  EXPECT_EQ(g.read(Field::GUEST_PENDING_DBG_EXCEPTIONS), u64{1} << 14) << "MTF comes first";
}

TEST(GuestRun, PreemptionTimerLeavesHlt) {
  Guest g;
  g.control(Control::HltExiting, false);
  g.control(Control::PreemptionTimer, true);
  g.write(Field::VMX_PREEMPTION_TIMER_VALUE, 1000);
  g.code({0xf4});
  EXPECT_TRUE(g.vmx->vmlaunch(g.cpu).ok());
  g.cpu.run(100);
  ASSERT_EQ(g.cpu.activity, Activity::Halt);
  g.timeline.set_now(g.timeline.next_event());
  g.timeline.fire_due();
  EXPECT_TRUE(g.cpu.has_wake_event()) << "time passed while no instruction did";
  g.cpu.run(100);
  EXPECT_EQ(g.reason(), ExitReason::PreemptionTimer);
  EXPECT_EQ(g.read(Field::GUEST_ACTIVITY_STATE), 1u);
  EXPECT_EQ(g.read(Field::GUEST_RIP), test::kGuestCode + 1);
}

TEST(GuestRun, StoredTscHasNoOffset) {
  Guest g;
  g.code({0x0f, 0x01, 0xc1});
  g.control(Control::TscOffsetting, true);
  g.write(Field::TSC_OFFSET, u64{1} << 40);
  g.put(test::kMsrArea, 0x10);
  g.write(Field::VM_EXIT_MSR_STORE_ADDR, test::kMsrArea);
  g.write(Field::VM_EXIT_MSR_STORE_COUNT, 1);
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
  u64 stored = 0;
  ASSERT_TRUE(g.mem.read(test::kMsrArea + 8, &stored, 8));
  EXPECT_LT(stored, u64{1} << 40);
}

TEST(GuestRun, RdpidNeedsEnableRdtscp) {
  Guest g;
  g.code({0xf3, 0x0f, 0xc7, 0xf8, 0x0f, 0x01, 0xc1});
  g.write(Field::EXCEPTION_BITMAP, 1 << 6);
  EXPECT_EQ(g.enter(), ExitReason::ExceptionOrNmi);
  EXPECT_EQ(g.read(Field::VM_EXIT_INTR_INFO) & 0xff, 6u);
  g.control(Control::EnableRdtscp, true);
  EXPECT_EQ(g.enter(), ExitReason::Vmcall);
}

}  // namespace
}  // namespace softvt::vmx
