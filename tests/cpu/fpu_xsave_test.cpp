// FXSAVE, FXRSTOR, the XSAVE family, XGETBV and XSETBV.
#include "cpu/fpu/legacy_image.h"
#include "cpu/fpu/xsave_layout.h"
#include "tests/cpu/fpu_test_support.h"

namespace softvt::test {
namespace {

using namespace fpu;

constexpr unsigned kBv = 512, kComp = 520;

class FpuXsave : public FpuTest {
 protected:
  FpuXsave() {
    cpu.cr4 |= cr4::OSFXSR | cr4::OSXSAVE;
    cpu.xcr0 = xcr0::X87 | xcr0::Sse | xcr0::Pkru;
    request(~u64{0});
    const std::vector<u8> noise(4096, 0xcc);
    put(noise.data(), noise.size());
    cpu.mxcsr = 0x1f80;
  }
  void request(u64 mask) {
    cpu.r[RAX] = mask & 0xffffffff;
    cpu.r[RDX] = mask >> 32;
  }
  void clear_header() {
    const u8 zeros[64] = {};
    put(zeros, sizeof(zeros), kOperand + kBv);
  }
  void header(u64 xstate_bv, u64 xcomp_bv) {
    clear_header();
    put(&xstate_bv, 8, kOperand + kBv);
    put(&xcomp_bv, 8, kOperand + kComp);
  }
  void enter_64bit_mode() {
    cpu.efer |= efer::LME | efer::LMA;
    Segment& cs = cpu.seg[static_cast<unsigned>(Seg::CS)];
    cs.rights = (cs.rights & ~seg_rights::DB) | seg_rights::L;
    cpu.update_mode();
  }
  void expect_gp(Step step) {
    EXPECT_EQ(step, Step::Fault);
    EXPECT_EQ(fault(), Vector::GP);
    EXPECT_EQ(cpu.fault.error, 0u);
  }
};

TEST_F(FpuXsave, FxsaveRoundTrip) {
  push(2.5L);
  cpu.xmm[3].q[1] = 0x1122334455667788;
  cpu.mxcsr = 0x1fa0;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_FXSAVE), Step::Next);
  EXPECT_EQ(get<u16>(), kControlInit);
  EXPECT_EQ(get<u8>(kOperand + 4), 0x80);
  EXPECT_EQ(get<u32>(kOperand + 24), 0x1fa0u);
  EXPECT_EQ(get<u32>(kOperand + 28), mxcsr_mask(cpu));
  EXPECT_EQ(get<u64>(kOperand + 160 + 3 * 16 + 8), 0x1122334455667788u);
  EXPECT_EQ(get<u8>(kOperand + 160 + 8 * 16), 0xcc);  // XMM8 does not exist in 32-bit mode
  EXPECT_EQ(get<u8>(kOperand + 464), 0xcc);
  initialise(cpu.fpu);
  cpu.xmm[3] = Xmm{};
  cpu.mxcsr = 0x1f80;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_FXRSTOR), Step::Next);
  EXPECT_EQ(st(0), 2.5L);
  EXPECT_EQ(cpu.xmm[3].q[1], 0x1122334455667788u);
  EXPECT_EQ(cpu.mxcsr, 0x1fa0u);
}

TEST_F(FpuXsave, SixtyFourBitMode) {
  enter_64bit_mode();
  cpu.fpu.fip = 0x1122334455667788;
  cpu.fpu.fcs = 0x33;
  cpu.xmm[15].q[0] = 15;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_FXSAVE64), Step::Next);
  EXPECT_EQ(get<u64>(kOperand + 8), 0x1122334455667788u);
  EXPECT_EQ(get<u64>(kOperand + 160 + 15 * 16), 15u);
  cpu.xmm[15].q[0] = 0;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_FXRSTOR64), Step::Next);
  EXPECT_EQ(cpu.xmm[15].q[0], 15u);
  EXPECT_EQ(cpu.fpu.fip, 0x1122334455667788u);
  EXPECT_EQ(cpu.fpu.fcs, 0);
  cpu.fpu.fcs = 0x33;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_FXSAVE), Step::Next);
  EXPECT_EQ(get<u64>(kOperand + 8), 0x3355667788u);
}

TEST_F(FpuXsave, FastFxsaveLeavesXmmAlone) {
  enter_64bit_mode();
  cpu.efer |= efer::FFXSR;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_FXSAVE), Step::Next);
  EXPECT_EQ(get<u8>(kOperand + 160), 0xcc);
  EXPECT_EQ(get<u32>(kOperand + 24), 0x1f80u);
  cpu.xmm[1].q[0] = 7;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_FXRSTOR), Step::Next);
  EXPECT_EQ(cpu.xmm[1].q[0], 7u);
}

TEST_F(FpuXsave, FaultOnTheSecondPageWritesNothing) {
  clear_header();
  push(1.0L);
  Insn in = memory_operand();
  in.disp = static_cast<i32>(kTestRam - 2048);  // PKRU would lie beyond RAM
  cpu.seg[static_cast<unsigned>(Seg::DS)].limit = static_cast<u32>(kTestRam - 1);
  const std::vector<u8> before = bytes(kTestRam - 2048, 2048);
  cpu.pkru = 1;
  cpu.update_mode();
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XSAVE, in), Step::Fault);
  EXPECT_EQ(bytes(kTestRam - 2048, 2048), before);
}

TEST_F(FpuXsave, FxrstorChecksAlignmentAndMxcsr) {
  Insn in = memory_operand();
  in.disp += 8;
  expect_gp(execute(ZYDIS_MNEMONIC_FXSAVE, in));
  expect_gp(execute(ZYDIS_MNEMONIC_FXRSTOR, in));
  const u32 bad = 0x80000000;
  put(&bad, 4, kOperand + 24);
  expect_gp(execute(ZYDIS_MNEMONIC_FXRSTOR));
}

TEST_F(FpuXsave, AmdModelsKeepPointersOut) {
  cpu.intel = false;
  cpu.fpu.fop = 0x123;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_FXSAVE), Step::Next);
  EXPECT_EQ(get<u16>(kOperand + 6), 0xcccc);
  EXPECT_EQ(get<u16>(kOperand), kControlInit);
}

TEST_F(FpuXsave, StandardFormat) {
  clear_header();
  push(1.0L);
  cpu.pkru = 0x55;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XSAVE), Step::Next);
  EXPECT_EQ(get<u64>(kOperand + kBv), xcr0::X87 | xcr0::Pkru);
  EXPECT_EQ(get<u64>(kOperand + kComp), 0u);
  EXPECT_EQ(get<u32>(kOperand + 2688), 0x55u);
  EXPECT_EQ(get<u64>(kOperand + 160), 0u);  // XSAVE writes components in initial configuration
  EXPECT_EQ(standard_size(cpu.xcr0), 2696u);
}

TEST_F(FpuXsave, XsaveKeepsHeaderBitsNotAskedFor) {
  header(xcr0::Pkru, 0);
  request(xcr0::X87);
  push(1.0L);
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XSAVE), Step::Next);
  EXPECT_EQ(get<u64>(kOperand + kBv), xcr0::X87 | xcr0::Pkru);
  EXPECT_EQ(get<u8>(kOperand + 160), 0xcc);
  EXPECT_EQ(get<u8>(kOperand + 24), 0xcc);
}

TEST_F(FpuXsave, InitOptimisation) {
  clear_header();
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XSAVEOPT), Step::Next);
  EXPECT_EQ(get<u64>(kOperand + kBv), 0u);
  EXPECT_EQ(get<u8>(kOperand), 0xcc);
  EXPECT_EQ(get<u32>(kOperand + 24), 0x1f80u);
}

TEST_F(FpuXsave, CompactedFormat) {
  cpu.pkru = 0x66;
  cpu.mxcsr = 0x1fa0;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XSAVEC), Step::Next);
  EXPECT_EQ(get<u64>(kOperand + kBv), xcr0::Sse | xcr0::Pkru);
  EXPECT_EQ(get<u64>(kOperand + kComp), kCompacted | cpu.xcr0);
  EXPECT_EQ(get<u32>(kOperand + 576), 0x66u);
  EXPECT_EQ(compacted_size(cpu.xcr0), 584u);
  expect_gp(execute(ZYDIS_MNEMONIC_XRSTOR));  // the rest of the header is not zero
  header(xcr0::Sse | xcr0::Pkru, kCompacted | cpu.xcr0);
  cpu.pkru = 0;
  cpu.mxcsr = 0x1f80;
  push(1.0L);
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XRSTOR), Step::EndBlock);
  EXPECT_EQ(cpu.pkru, 0x66u);
  EXPECT_EQ(cpu.mxcsr, 0x1fa0u);
  EXPECT_EQ(cpu.fpu.tag_valid, 0);  // x87 was in its initial configuration
}

TEST_F(FpuXsave, RestoreChecksTheHeader) {
  header(1 << 2, 0);
  expect_gp(execute(ZYDIS_MNEMONIC_XRSTOR));  // a component that XCR0 has not
  header(1, 1);
  expect_gp(execute(ZYDIS_MNEMONIC_XRSTOR));  // XCOMP_BV without its bit 63
  header(2, kCompacted | 1);
  expect_gp(execute(ZYDIS_MNEMONIC_XRSTOR));  // XSTATE_BV beyond XCOMP_BV
  header(0, kCompacted | 4);
  expect_gp(execute(ZYDIS_MNEMONIC_XRSTOR));
  header(0, 0);
  expect_gp(execute(ZYDIS_MNEMONIC_XRSTORS));  // only the compacted format
  const u32 bad = 0x10000, good = 0x1f80;
  put(&bad, 4, kOperand + 24);
  cpu.features.set(Feature::MisalignSse, false);
  expect_gp(execute(ZYDIS_MNEMONIC_XRSTOR));
  put(&good, 4, kOperand + 24);
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XRSTOR), Step::EndBlock);
  Insn in = memory_operand();
  in.disp += 32;
  expect_gp(execute(ZYDIS_MNEMONIC_XRSTOR, in));
  expect_gp(execute(ZYDIS_MNEMONIC_XSAVE, in));
}

TEST_F(FpuXsave, StandardRestoreInitialisesWhatTheImageLacks) {
  header(0, 0);
  const u32 mxcsr = 0x1fa0;
  put(&mxcsr, 4, kOperand + 24);
  push(1.0L);
  cpu.xmm[0].q[0] = 1;
  cpu.pkru = 4;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XRSTOR), Step::EndBlock);
  EXPECT_EQ(in_use(cpu), 0u);
  EXPECT_EQ(cpu.mxcsr, mxcsr);  // loaded although XSTATE_BV has no SSE
}

TEST_F(FpuXsave, TaskSwitchedRaisesDeviceNotAvailable) {
  cpu.cr0 |= cr0::TS;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XSAVE), Step::Fault);
  EXPECT_EQ(fault(), Vector::NM);
}

TEST_F(FpuXsave, ExtendedControlRegister) {
  cpu.r[RCX] = 0;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XGETBV), Step::Next);
  EXPECT_EQ(cpu.r[RAX], cpu.xcr0);
  cpu.r[RCX] = 1;
  cpu.xmm[5].q[0] = 1;
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XGETBV), Step::Next);
  EXPECT_EQ(cpu.r[RAX], xcr0::Sse);
  cpu.r[RCX] = 2;
  expect_gp(execute(ZYDIS_MNEMONIC_XGETBV));
  cpu.r[RCX] = 0;
  request(xcr0::Sse);
  expect_gp(execute(ZYDIS_MNEMONIC_XSETBV));  // x87 must stay
  request(xcr0::X87 | u64{1} << 62);
  expect_gp(execute(ZYDIS_MNEMONIC_XSETBV));
  request(xcr0::X87);
  EXPECT_EQ(execute(ZYDIS_MNEMONIC_XSETBV), Step::EndBlock);
  EXPECT_EQ(cpu.xcr0, xcr0::X87);
}

}  // namespace
}  // namespace softvt::test
