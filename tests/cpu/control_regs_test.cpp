#include "cpu/sys/control_regs.h"

#include <gtest/gtest.h>

#include "cpu/core/tlb.h"
#include "cpu/cpuid/model.h"
#include "cpu/phys_memory.h"
#include "cpu/sys/debug_regs.h"
#include "cpu/sys/handlers.h"
#include "cpu/sys/rows.h"

namespace softvt {
namespace {

class ControlRegs : public ::testing::Test {
 protected:
  ControlRegs() {
    mem.add_ram(0, 0x100000);
    cpu.mem = &mem;
    cpu.tlbs = &tlbs;
    apply_model(cpu, *find_model("max-intel"));
    cpu.update_mode();
  }
  void enter_long_mode() {
    ASSERT_TRUE(set_cr0(cpu, cr0::PE | cr0::NE));
    ASSERT_TRUE(set_cr4(cpu, cr4::PAE));
    ASSERT_TRUE(set_efer(cpu, efer::LME | efer::NXE));
    ASSERT_TRUE(set_cr0(cpu, cr0::PE | cr0::NE | cr0::PG));
  }
  void set_code64() {
    Segment cs = cpu.seg[1];
    cs.rights = seg_rights::P | seg_rights::S | seg_rights::Code | seg_rights::L;
    cpu.set_segment(Seg::CS, cs);
  }
  void set_cpl(unsigned cpl) {
    Segment ss = cpu.seg[2];
    ss.rights = seg_rights::P | seg_rights::S | seg_rights::Writable | cpl << seg_rights::DplShift;
    cpu.set_segment(Seg::SS, ss);
  }
  // The write is refused with #GP(0) and leaves the registers alone.
  template <class Write>
  void expect_gp(Write write, u64 value) {
    const u64 before[] = {cpu.cr0, cpu.cr3, cpu.cr4, cpu.efer};
    cpu.fault_pending = false;
    EXPECT_FALSE(write(cpu, value)) << std::hex << value;
    EXPECT_TRUE(cpu.fault_pending);
    EXPECT_EQ(cpu.fault.vector, 13);
    const u64 after[] = {cpu.cr0, cpu.cr3, cpu.cr4, cpu.efer};
    EXPECT_TRUE(std::equal(std::begin(before), std::end(before), std::begin(after)));
    cpu.fault_pending = false;
  }
  PhysMemory mem;
  TlbPool tlbs;
  Cpu cpu;
};

TEST_F(ControlRegs, Cr0Combinations) {
  expect_gp(set_cr0, cr0::PG);
  expect_gp(set_cr0, cr0::PE | cr0::NW);
  expect_gp(set_cr0, u64{1} << 32);
  EXPECT_TRUE(set_cr0(cpu, cr0::PE | 1 << 10));
  EXPECT_EQ(cpu.cr0, cr0::PE | cr0::ET);
}

TEST_F(ControlRegs, LongModeActivation) {
  ASSERT_TRUE(set_cr0(cpu, cr0::PE));
  ASSERT_TRUE(set_efer(cpu, efer::LME));
  expect_gp(set_cr0, cr0::PE | cr0::PG);  // without PAE
  ASSERT_TRUE(set_cr4(cpu, cr4::PAE));
  set_code64();
  expect_gp(set_cr0, cr0::PE | cr0::PG);  // with CS.L
  cpu.seg[1].rights &= ~seg_rights::L;
  EXPECT_TRUE(set_cr0(cpu, cr0::PE | cr0::PG));
  EXPECT_TRUE(cpu.long_mode());
  expect_gp(set_efer, 0);
  EXPECT_TRUE(set_efer(cpu, efer::LME | efer::SCE));
  EXPECT_TRUE(cpu.long_mode());
  set_code64();
  expect_gp(set_cr0, cr0::PE);  // from 64-bit mode
  cpu.seg[1].rights &= ~seg_rights::L;
  EXPECT_TRUE(set_cr0(cpu, cr0::PE));
  EXPECT_FALSE(cpu.long_mode());
}

TEST_F(ControlRegs, Cr4) {
  expect_gp(set_cr4, cr4::CET);
  expect_gp(set_cr4, cr4::SMXE);
  expect_gp(set_cr4, u64{1} << 40);
  expect_gp(set_cr4, cr4::PCIDE);  // outside long mode
  enter_long_mode();
  expect_gp(set_cr4, 0);
  expect_gp(set_cr4, cr4::PAE | cr4::LA57);
  cpu.cr3 = 0x1001;
  expect_gp(set_cr4, cr4::PAE | cr4::PCIDE);
  cpu.cr3 = 0x1000;
  EXPECT_TRUE(set_cr4(cpu, cr4::PAE | cr4::PCIDE));
  expect_gp(set_cr0, cr0::PE);  // PCIDE keeps paging on
  cpu.features.set(Feature::Umip, false);
  expect_gp(set_cr4, cr4::PAE | cr4::PCIDE | cr4::UMIP);
}

TEST_F(ControlRegs, Cr3) {
  EXPECT_TRUE(load_cr3(cpu, 0xfffffff8));
  enter_long_mode();
  expect_gp(load_cr3, u64{1} << 46);
  expect_gp(load_cr3, u64{1} << 63);
  EXPECT_TRUE(load_cr3(cpu, 0x5000));
  ASSERT_TRUE(set_cr4(cpu, cr4::PAE | cr4::PCIDE));
  EXPECT_TRUE(load_cr3(cpu, u64{1} << 63 | 0x6007));
  EXPECT_EQ(cpu.cr3, 0x6007u);
}

TEST_F(ControlRegs, PaeLoadsThePdptes) {
  const u64 entry = 0x7001, bad = 0x7003;
  mem.write(0x1008, &entry, 8);
  mem.write(0x2008, &bad, 8);
  ASSERT_TRUE(set_cr4(cpu, cr4::PAE));
  cpu.cr3 = 0x2000;
  expect_gp(set_cr0, cr0::PE | cr0::PG);
  cpu.cr3 = 0x1000;
  EXPECT_TRUE(set_cr0(cpu, cr0::PE | cr0::PG));
  EXPECT_EQ(cpu.pdpte[1], entry);
  expect_gp(load_cr3, 0x2000);
  EXPECT_EQ(cpu.pdpte[1], entry);
}

TEST_F(ControlRegs, VmxOperationFixesBits) {
  enter_long_mode();
  ASSERT_TRUE(set_cr4(cpu, cr4::PAE | cr4::VMXE));
  cpu.vmx_root = true;
  expect_gp(set_cr4, cr4::PAE);
  expect_gp(set_cr0, cr0::PE | cr0::PG);
  expect_gp(set_cr0, cr0::PE | cr0::NE);
  EXPECT_TRUE(set_cr0(cpu, cr0::PE | cr0::NE | cr0::PG | cr0::WP));
}

TEST_F(ControlRegs, MovCrPrivilegeAndNumbers) {
  ASSERT_TRUE(set_cr0(cpu, cr0::PE));
  Insn in{};
  in.form = Form::RR;
  in.src = 1;
  EXPECT_EQ(mov_from_cr(cpu, in), Step::Fault);
  EXPECT_EQ(cpu.fault.vector, 6);
  in.src = 0;
  in.dst = RBX * 8;
  cpu.r[RBX] = ~u64{0};
  EXPECT_EQ(mov_from_cr(cpu, in), Step::Next);
  EXPECT_EQ(cpu.r[RBX], cr0::PE | cr0::ET);
  set_cpl(3);
  EXPECT_EQ(mov_from_cr(cpu, in), Step::Fault);
  EXPECT_EQ(cpu.fault.vector, 13);
}

TEST_F(ControlRegs, LmswSetsButDoesNotClearPe) {
  Insn in{};
  in.form = Form::R;
  in.dst = RAX * 8;
  cpu.cr0 = cr0::ET | cr0::NE;
  cpu.r[RAX] = 0xfff9;
  EXPECT_EQ(lmsw(cpu, in), Step::EndBlock);
  EXPECT_EQ(cpu.cr0, cr0::PE | cr0::TS | cr0::ET | cr0::NE);
  cpu.r[RAX] = 0;
  EXPECT_EQ(lmsw(cpu, in), Step::EndBlock);
  EXPECT_EQ(cpu.cr0, cr0::PE | cr0::ET | cr0::NE);
}

TEST_F(ControlRegs, SmswUnderUmip) {
  ASSERT_TRUE(set_cr0(cpu, cr0::PE));
  ASSERT_TRUE(set_cr4(cpu, cr4::UMIP));
  Insn in{};
  in.form = Form::R;
  in.opsize = 4;
  EXPECT_EQ(smsw(cpu, in), Step::Next);
  set_cpl(3);
  EXPECT_EQ(smsw(cpu, in), Step::Fault);
}

TEST_F(ControlRegs, ReadShadowOfAVmxGuest) {
  cpu.guest_cr0 = {.mask = cr0::TS, .shadow = cr0::TS};
  cpu.cr0 = cr0::PE | cr0::ET;
  EXPECT_EQ(cr0_seen(cpu), cr0::PE | cr0::ET);
  cpu.guest_mode = true;
  EXPECT_EQ(cr0_seen(cpu), cr0::PE | cr0::ET | cr0::TS);
  EXPECT_EQ(cr0_reaching(cpu, cr0::TS | cr0::MP), cr0::MP);
}

TEST_F(ControlRegs, DebugRegisterAliases) {
  Insn in{};
  in.form = Form::RR;
  in.dst = 4;
  in.src = RAX * 8;
  cpu.r[RAX] = 0xf;
  EXPECT_EQ(mov_to_dr(cpu, in), Step::EndBlock);
  EXPECT_EQ(cpu.dr6, 0xffff0fffu);
  ASSERT_TRUE(set_cr4(cpu, cr4::DE));
  EXPECT_EQ(mov_to_dr(cpu, in), Step::Fault);
  EXPECT_EQ(cpu.fault.vector, 6);
}

TEST_F(ControlRegs, GeneralDetect) {
  cpu.dr7 = dr7::Fixed1 | dr7::GD;
  Insn in{};
  in.form = Form::RR;
  EXPECT_EQ(mov_from_dr(cpu, in), Step::Fault);
  EXPECT_EQ(cpu.fault.vector, 1);
  EXPECT_EQ(cpu.fault.dr6, dr6::BD);
}

TEST_F(ControlRegs, BreakpointMatching) {
  cpu.dr[0] = 0x1003;  // length 4: 0x1000 to 0x1003
  cpu.dr[1] = 0x2000;  // execution
  cpu.dr[2] = 0x3000;  // read or write, 8 bytes
  cpu.dr7 = 0x400 | 0x1 | 0x8 | 0x10 | 0xd << 16 | 0x0 << 20 | u64{0xb} << 24;
  EXPECT_EQ(match_data_breakpoints(cpu, 0x1000, 1, true), 1u);
  EXPECT_EQ(match_data_breakpoints(cpu, 0x0fff, 1, true), 0u);
  EXPECT_EQ(match_data_breakpoints(cpu, 0x0ffd, 4, true), 1u);
  EXPECT_EQ(match_data_breakpoints(cpu, 0x1000, 4, false), 0u);
  EXPECT_EQ(match_data_breakpoints(cpu, 0x1004, 4, true), 0u);
  EXPECT_EQ(match_data_breakpoints(cpu, 0x3007, 1, false), 4u);
  EXPECT_EQ(match_instruction_breakpoint(cpu, 0x2000), 2u);
  EXPECT_EQ(match_instruction_breakpoint(cpu, 0x2001), 0u);
  cpu.dr7 = 0x400;
  EXPECT_EQ(match_data_breakpoints(cpu, 0x1000, 1, true), 0u);
}

TEST_F(ControlRegs, CliAndStiByPrivilege) {
  Insn in{};
  EXPECT_EQ(sti(cpu, in), Step::EndBlock);
  EXPECT_TRUE(cpu.rflags_rest & rflags::IF);
  EXPECT_EQ(cpu.shadow, Shadow::Sti);
  cpu.shadow = Shadow::None;
  EXPECT_EQ(sti(cpu, in), Step::EndBlock);
  EXPECT_EQ(cpu.shadow, Shadow::None);
  ASSERT_TRUE(set_cr0(cpu, cr0::PE));
  set_cpl(3);
  EXPECT_EQ(cli(cpu, in), Step::Fault);
  ASSERT_TRUE(set_cr4(cpu, cr4::PVI));
  EXPECT_EQ(sti(cpu, in), Step::EndBlock);
  EXPECT_TRUE(cpu.rflags_rest & rflags::VIF);
  EXPECT_EQ(cli(cpu, in), Step::Next);
  EXPECT_FALSE(cpu.rflags_rest & rflags::VIF);
  cpu.rflags_rest |= rflags::VIP;
  EXPECT_EQ(sti(cpu, in), Step::Fault);
}

}  // namespace
}  // namespace softvt
