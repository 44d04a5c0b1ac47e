// Descriptors: fields, tables, accessed bit.
#include "tests/cpu/seg_machine.h"

namespace softvt::test {
namespace {

TEST(Descriptor, SegmentFields) {
  Descriptor d;
  d.low = descriptor(0x12345678, 0xabcde, 0xc0f3);
  const Segment s = segment_of(0x1b, d);
  EXPECT_EQ(s.selector, 0x1b);
  EXPECT_EQ(s.base, 0x12345678u);
  EXPECT_EQ(s.limit, 0xabcdefffu);
  EXPECT_EQ(s.rights, 0xc0f3u);
  EXPECT_EQ(d.dpl(), 3u);
  EXPECT_TRUE(d.present() && d.writable() && d.readable());
  EXPECT_FALSE(d.code() || d.system());
}

TEST(Descriptor, ByteGranularityKeepsLimit) {
  Descriptor d;
  d.low = descriptor(0, 0xabcde, 0x4092);
  EXPECT_EQ(segment_of(8, d).limit, 0xabcdeu);
}

TEST(Descriptor, SixteenByteBase) {
  Descriptor d;
  d.low = descriptor(0x87654321, 0x67, 0x89);
  d.high = 0xffff8000;
  EXPECT_EQ(segment_of(8, d).base, 0xffff800087654321u);
  EXPECT_TRUE(d.task_state() && d.wide_task());
  EXPECT_FALSE(d.busy_task());
}

TEST(Descriptor, GateFields) {
  Descriptor d;
  d.low = gate(0x10, 0xdeadbeef, 0xee, 5);
  d.high = 0x12345678;
  EXPECT_EQ(d.gate_selector(), 0x10);
  EXPECT_EQ(d.gate_offset32(), 0xdeadbeefu);
  EXPECT_EQ(d.gate_offset64(), 0x12345678deadbeefu);
  EXPECT_EQ(d.gate_parameters(), 5u);
  EXPECT_EQ(d.gate_ist(), 5u);
  EXPECT_EQ(d.system_type(), SystemType::InterruptGate32);
  EXPECT_EQ(d.dpl(), 3u);
}

TEST(Descriptor, ConformingCode) {
  Descriptor d;
  d.low = descriptor(0, 0, 0x9c);
  EXPECT_TRUE(d.code() && d.conforming());
  EXPECT_FALSE(d.readable() || d.writable());
}

TEST(Descriptor, LimitOfTheTable) {
  SegMachine m;
  m.protected_mode(0);
  m.cpu.gdtr.limit = 0x17;
  Descriptor d;
  EXPECT_EQ(fetch_descriptor(m.cpu, 0x10, d), Fetch::Found);
  EXPECT_EQ(fetch_descriptor(m.cpu, 0x18, d), Fetch::Outside);
  m.cpu.gdtr.limit = 0x16;
  EXPECT_EQ(fetch_descriptor(m.cpu, 0x10, d), Fetch::Outside);
  EXPECT_EQ(fetch_descriptor(m.cpu, 0x0c, d), Fetch::Outside) << "there is no LDT";
}

TEST(Descriptor, LoadSetsTheAccessedBit) {
  SegMachine m;
  m.protected_mode(0);
  ASSERT_TRUE(load_segment(m.cpu, Seg::DS, kData0));
  EXPECT_EQ(m.get(kGdt + kData0 + 5, 1), 0x93u);
  EXPECT_EQ(m.seg(Seg::DS).rights & 0xff, 0x93u);
}

}  // namespace
}  // namespace softvt::test
