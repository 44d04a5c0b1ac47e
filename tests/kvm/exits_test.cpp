// VM exits other than hypercalls, for both vendors.
#include <algorithm>

#include "kvm/exit_handlers.h"
#include "kvm/guest_msrs.h"
#include "tests/kvm/tiny_guest.h"

namespace softvt::kvm {
namespace {

class ExitGuest : public EachVendor {};
const std::vector<u8> kHlt = {0xf4};

TEST_P(ExitGuest, PortOutAndIn) {
  TinyGuest guest(GetParam());
  // MOV AL, 0x41; OUT 0xe9, AL; IN EAX, 0x60; HLT
  guest.start_long({0xb0, 0x41, 0xe6, 0xe9, 0xe5, 0x60, 0xf4});
  const auto& out = guest.run();
  ASSERT_EQ(out.exit_reason, RunExit::Io) << out.detail;
  EXPECT_TRUE(out.io.out);
  EXPECT_EQ(out.io.port, 0xe9);
  EXPECT_EQ(out.io.size, 1);
  EXPECT_EQ(out.io.data, 0x41u);
  guest.vcpu->complete(0);
  const auto& in = guest.run();
  ASSERT_EQ(in.exit_reason, RunExit::Io) << in.detail;
  EXPECT_FALSE(in.io.out);
  EXPECT_EQ(in.io.size, 4);
  guest.vcpu->complete(0x12345678);
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[RAX], 0x12345678u);
}

TEST_P(ExitGuest, StringOutIsOneExitForEachElement) {
  TinyGuest guest(GetParam());
  // MOV ESI, 0x18000; MOV ECX, 3; MOV DX, 0xe9; CLD; REP OUTSB; HLT
  guest.start_long(
      {0xbe, 0, 0x80, 1, 0, 0xb9, 3, 0, 0, 0, 0x66, 0xba, 0xe9, 0, 0xfc, 0xf3, 0x6e, 0xf4});
  guest.write(0x18000, {'a', 'b', 'c'});
  std::string text;
  for (const auto* run = &guest.run(); run->exit_reason == RunExit::Io; run = &guest.run()) {
    text += static_cast<char>(run->io.data);
    guest.vcpu->complete(0);
  }
  EXPECT_EQ(text, "abc");
  EXPECT_EQ(guest.vcpu->run_area().exit_reason, RunExit::Hlt) << guest.vcpu->run_area().detail;
  EXPECT_EQ(guest.vcpu->registers().gpr[RCX], 0u);
  EXPECT_EQ(guest.vcpu->registers().gpr[RSI], 0x18003u);
}

TEST_P(ExitGuest, StringInWritesMemory) {
  TinyGuest guest(GetParam());
  // MOV EDI, 0x18000; MOV ECX, 2; MOV DX, 0x60; CLD; REP INSB; HLT
  guest.start_long(
      {0xbf, 0, 0x80, 1, 0, 0xb9, 2, 0, 0, 0, 0x66, 0xba, 0x60, 0, 0xfc, 0xf3, 0x6c, 0xf4});
  u8 next = 7;
  for (const auto* run = &guest.run(); run->exit_reason == RunExit::Io; run = &guest.run()) {
    guest.vcpu->complete(next++);
  }
  u8 bytes[2] = {};
  ASSERT_TRUE(guest.vm.read_guest(0x18000, bytes, 2));
  EXPECT_EQ(bytes[0], 7);
  EXPECT_EQ(bytes[1], 8);
}

TEST_P(ExitGuest, DeviceMemory) {
  TinyGuest guest(GetParam());
  // MOV EBX, 0xd0000000 (no slot); MOV [RBX+4], 0x11223344 (imm); MOVZX EAX, BYTE [RBX]; HLT
  guest.start_protected(
      {0xbb, 0, 0, 0, 0xd0, 0xc7, 0x43, 4, 0x44, 0x33, 0x22, 0x11, 0x0f, 0xb6, 3, 0xf4});
  const auto& write = guest.run();
  ASSERT_EQ(write.exit_reason, RunExit::Mmio) << write.detail;
  EXPECT_TRUE(write.mmio.is_write);
  EXPECT_EQ(write.mmio.phys_addr, 0xd0000004u);
  EXPECT_EQ(write.mmio.len, 4);
  EXPECT_EQ(write.mmio.data, 0x11223344u);
  guest.vcpu->complete(0);
  const auto& read = guest.run();
  ASSERT_EQ(read.exit_reason, RunExit::Mmio) << read.detail;
  EXPECT_FALSE(read.mmio.is_write);
  EXPECT_EQ(read.mmio.len, 1);
  guest.vcpu->complete(0x1ff);
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[RAX], 0xffu);
}

TEST_P(ExitGuest, UnknownDeviceInstructionIsNamed) {
  TinyGuest guest(GetParam());
  guest.start_protected({0xbb, 0, 0, 0, 0xd0, 0xff, 0x03, 0xf4});  // INC DWORD [EBX]
  const auto& run = guest.run();
  EXPECT_EQ(run.exit_reason, RunExit::InternalError);
  EXPECT_NE(run.detail.find("inc"), std::string::npos) << run.detail;
}

TEST_P(ExitGuest, CpuidTellsOfKvm) {
  TinyGuest guest(GetParam());
  guest.start_long({0xb8, 0, 0, 0, 0x40, 0x0f, 0xa2, 0xf4});
  guest.run_to_halt();
  const Registers r = guest.vcpu->registers();
  EXPECT_EQ(r.gpr[RAX], 0x40000001u);
  EXPECT_EQ(r.gpr[RBX], 0x4b4d564bu);
  EXPECT_EQ(r.gpr[RCX], 0x564b4d56u);
  EXPECT_EQ(r.gpr[RDX], 0x4du);
}

TEST_P(ExitGuest, CpuidHidesVirtualisation) {
  TinyGuest guest(GetParam());
  // leaf 1 to ESI, leaf 0x80000001 to EDI
  guest.start_long({0xb8, 1, 0, 0, 0, 0x0f, 0xa2, 0x89, 0xce, 0xb8, 1, 0, 0, 0x80, 0x0f, 0xa2, 0x89,
                    0xcf, 0xf4});
  guest.run_to_halt();
  const Registers r = guest.vcpu->registers();
  EXPECT_EQ(r.gpr[RSI] >> 5 & 1, 0u);
  EXPECT_EQ(r.gpr[RSI] >> 31 & 1, 1u);
  EXPECT_EQ(r.gpr[RDI] >> 2 & 1, 0u);
}

TEST_P(ExitGuest, MsrsOfTheGuest) {
  TinyGuest guest(GetParam());
  // EFER: set SCE; LSTAR: passed through
  guest.start_long({0xb9, 0x80, 0,    0,    0xc0, 0x0f, 0x32, 0x83, 0xc8, 1,    0x0f, 0x30,
                    0x0f, 0x32, 0x89, 0xc6, 0xb9, 0x82, 0,    0,    0xc0, 0xb8, 0x78, 0x56,
                    0x34, 0x12, 0x31, 0xd2, 0x0f, 0x30, 0x31, 0xc0, 0x0f, 0x32, 0xf4});
  guest.run_to_halt();
  EXPECT_EQ(guest.vcpu->registers().gpr[RSI], efer::SCE | efer::LME | efer::LMA);
  EXPECT_EQ(guest.vcpu->registers().gpr[RAX], 0x12345678u);
}

TEST_P(ExitGuest, UnknownMsrIsAFault) {
  TinyGuest guest(GetParam());
  guest.start_long({0xb9, 0x34, 0x12, 0, 0, 0x0f, 0x32, 0xf4});
  EXPECT_EQ(guest.run().exit_reason, RunExit::Shutdown);
}

// From protected mode to 64-bit mode by the guest's own instructions.
TEST_P(ExitGuest, GuestTurnsLongModeOn) {
  TinyGuest guest(GetParam());
  guest.write64(kTables, (kTables + 0x1000) | 7);
  guest.write64(kTables + 0x1000, (kTables + 0x2000) | 7);
  guest.write64(kTables + 0x2000, 0x87);
  guest.start_protected({0xb8, 0x20, 0,    0,    0,                       // MOV EAX, CR4.PAE
                         0x0f, 0x22, 0xe0,                                // MOV CR4, EAX
                         0xb8, 0,    0,    2,    0,    0x0f, 0x22, 0xd8,  // MOV CR3, kTables
                         0xb9, 0x80, 0,    0,    0xc0, 0x0f, 0x32,        // RDMSR EFER
                         0x0d, 0,    1,    0,    0,    0x0f, 0x30,        // OR EAX, LME; WRMSR
                         0x0f, 0x20, 0xc0, 0x0d, 0,    0,    0,    0x80,  // OR CR0, PG
                         0x0f, 0x22, 0xc0, 0xf4});
  guest.run_to_halt();
  const SystemRegisters s = guest.vcpu->system_registers();
  EXPECT_EQ(s.efer, efer::LME | efer::LMA);
  EXPECT_EQ(s.cr0 & cr0::PG, cr0::PG);
  EXPECT_EQ(s.cr4, cr4::PAE);
}

TEST_P(ExitGuest, BadStateFailsTheEntryWithAReport) {
  TinyGuest guest(GetParam());
  guest.start_long(kHlt);
  SystemRegisters s = guest.vcpu->system_registers();
  s.cr0 &= ~cr0::PE;  // paging without protection
  guest.vcpu->set_system_registers(s);
  const auto& run = guest.run();
  EXPECT_EQ(run.exit_reason, RunExit::FailEntry);
  EXPECT_NE(run.detail.find("CR0"), std::string::npos) << run.detail;
}

TEST_P(ExitGuest, TripleFaultIsShutdown) {
  TinyGuest guest(GetParam());
  guest.start_long({0x0f, 0x0b});
  EXPECT_EQ(guest.run().exit_reason, RunExit::Shutdown);
}

TEST_P(ExitGuest, SliceEndsInTheMiddle) {
  TinyGuest guest(GetParam());
  guest.start_long({0xff, 0xc0, 0xeb, 0xfc});  // INC EAX; JMP
  EXPECT_EQ(guest.vcpu->run(100).exit_reason, RunExit::Intr);
  const u64 first = guest.vcpu->instructions();
  EXPECT_GE(first, 50u);
  EXPECT_EQ(guest.vcpu->run(100).exit_reason, RunExit::Intr);
  EXPECT_GE(guest.vcpu->instructions(), first + 50);
  guest.vcpu->pause();
  EXPECT_GE(guest.vcpu->registers().gpr[RAX], 50u);
}

TEST(ExitTable, EachVendorHasNamedRowsWithoutDoubles) {
  for (const Vendor vendor : {Vendor::Vmx, Vendor::Svm}) {
    const auto rows = exit_handlers(vendor);
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_TRUE(rows[i].name.starts_with("handle_"));
      EXPECT_EQ(find_exit_handler(vendor, rows[i].code), &rows[i]);
    }
  }
}

TEST(GuestMsrTable, RowsDoNotOverlap) {
  const auto rows = guest_msr_rows();
  for (size_t i = 1; i < rows.size(); ++i) {
    EXPECT_LE(rows[i].first, rows[i].last);
    EXPECT_GT(rows[i].first, rows[i - 1].last) << rows[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Vendors, ExitGuest, ::testing::Values(Vendor::Vmx, Vendor::Svm),
                         vendor_name);

}  // namespace
}  // namespace softvt::kvm
