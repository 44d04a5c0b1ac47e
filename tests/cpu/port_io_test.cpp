#include "cpu/sys/io.h"

#include <gtest/gtest.h>

#include "cpu/core/tlb.h"
#include "cpu/cpuid/model.h"
#include "cpu/phys_memory.h"
#include "cpu/sys/handlers.h"
#include "cpu/timeline.h"

namespace softvt {
namespace {

constexpr u64 kTss = 0x2000;

class RecordingBus : public Bus {
 public:
  u32 port_in(u16 port, unsigned size) override {
    last = {port, 0, size};
    return 0xaabbccdd;
  }
  void port_out(u16 port, u32 value, unsigned size) override { last = {port, value, size}; }
  bool extint_pending() override { return false; }
  u8 extint_acknowledge() override { return 0; }
  struct Access {
    u16 port;
    u32 value;
    unsigned size;
  } last{};
};

class PortIo : public ::testing::Test {
 protected:
  PortIo() {
    mem.add_ram(0, 0x10000);
    cpu.mem = &mem;
    cpu.tlbs = &tlbs;
    cpu.bus = &bus;
    cpu.timeline = &timeline;
    apply_model(cpu, *find_model("max-intel"));
    cpu.update_mode();
  }
  // CPL 3, IOPL 0, a TSS whose I/O map is at 0x68 and holds `limit` bytes behind the TSS.
  void user_with_map(u32 limit) {
    cpu.cr0 |= cr0::PE;
    Segment ss = cpu.seg[2];
    ss.rights = seg_rights::P | seg_rights::S | seg_rights::Writable | seg_rights::DplMask;
    cpu.set_segment(Seg::SS, ss);
    Segment tr;
    tr.base = kTss;
    tr.limit = limit;
    tr.rights = seg_rights::P | 11;
    cpu.set_segment(Seg::TR, tr);
    const u16 base = 0x68;
    mem.write(kTss + 0x66, &base, 2);
  }
  void deny(u16 port) {
    u8 byte = 0;
    mem.read(kTss + 0x68 + port / 8, &byte, 1);
    byte |= static_cast<u8>(1 << (port % 8));
    mem.write(kTss + 0x68 + port / 8, &byte, 1);
  }
  bool allowed(u16 port, unsigned size) {
    cpu.fault_pending = false;
    const bool result = io_allowed(cpu, port, size);
    EXPECT_EQ(result, !cpu.fault_pending);
    return result;
  }
  Timeline timeline;
  PhysMemory mem;
  TlbPool tlbs;
  RecordingBus bus;
  Cpu cpu;
};

TEST_F(PortIo, BitmapDecidesAboveIopl) {
  user_with_map(0x68 + 0x100);
  deny(0x64);
  EXPECT_TRUE(allowed(0x60, 4));
  EXPECT_TRUE(allowed(0x63, 1));
  EXPECT_FALSE(allowed(0x63, 2));
  EXPECT_FALSE(allowed(0x64, 1));
  cpu.rflags_rest |= rflags::IOPL;
  EXPECT_TRUE(allowed(0x64, 1));
}

TEST_F(PortIo, BothMapBytesLieInsideTheLimit) {
  user_with_map(0x68 + 1);
  EXPECT_TRUE(allowed(0x7, 1));
  EXPECT_FALSE(allowed(0x8, 1));
  EXPECT_FALSE(allowed(0xffff, 4));
  user_with_map(0x66);
  EXPECT_FALSE(allowed(0, 1));
  cpu.seg[7].rights = seg_rights::P | 3;  // a 16-bit TSS has no map
  EXPECT_FALSE(allowed(0, 1));
}

TEST_F(PortIo, OperandSizes) {
  Insn in{};
  in.opcode = 0xe5;
  in.opsize = 2;
  in.imm = -128;  // port 0x80
  cpu.r[RAX] = ~u64{0};
  EXPECT_EQ(in_port(cpu, in), Step::EndBlock);
  EXPECT_EQ(bus.last.port, 0x80);
  EXPECT_EQ(bus.last.size, 2u);
  EXPECT_EQ(cpu.r[RAX], 0xffffffffffffccddu);
  in.opcode = 0xed;
  in.opsize = 8;
  cpu.r[RDX] = 0x123cf8;
  EXPECT_EQ(in_port(cpu, in), Step::EndBlock);
  EXPECT_EQ(bus.last.port, 0x3cf8);
  EXPECT_EQ(cpu.r[RAX], 0xaabbccddu);
  in.opcode = 0xee;
  EXPECT_EQ(out_port(cpu, in), Step::EndBlock);
  EXPECT_EQ(bus.last.value, 0xddu);
  EXPECT_EQ(bus.last.size, 1u);
}

TEST_F(PortIo, BreakpointsNeedDebugExtensions) {
  cpu.dr[0] = 0x60;
  cpu.dr7 = 0x400 | 1 | 2 << 16;
  port_write(cpu, 0x60, 0, 1);
  EXPECT_EQ(cpu.pending_dr6, 0u);
  cpu.cr4 |= cr4::DE;
  port_write(cpu, 0x60, 0, 1);
  EXPECT_EQ(cpu.pending_dr6, 1u);
}

}  // namespace
}  // namespace softvt
