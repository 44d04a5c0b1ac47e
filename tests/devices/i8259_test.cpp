#include "devices/i8259.h"

#include <gtest/gtest.h>

namespace softvt {
namespace {

class I8259Test : public ::testing::Test {
 protected:
  void out(u16 port, u8 value) { pic_.port_write(port, value, 1); }
  u8 in(u16 port) { return static_cast<u8>(pic_.port_read(port, 1)); }

  void initialise(u8 icw4 = 0x01) {
    out(0x20, 0x11);
    out(0x21, 0x20);
    out(0x21, 0x04);
    out(0x21, icw4);
    out(0xa0, 0x11);
    out(0xa1, 0x28);
    out(0xa1, 0x02);
    out(0xa1, icw4);
  }

  u8 isr(u16 port) {
    out(port, 0x0b);
    return in(port);
  }
  u8 irr(u16 port) {
    out(port, 0x0a);
    return in(port);
  }

  bool intr_ = false;
  I8259 pic_{[this](bool level) { intr_ = level; }};
};

TEST_F(I8259Test, EdgeIsTakenOnceUntilTheNextRise) {
  initialise();
  pic_.set_irq(4, true);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(irr(0x20), 0x10);
  EXPECT_EQ(pic_.acknowledge(), 0x24);
  EXPECT_FALSE(intr_);
  EXPECT_EQ(isr(0x20), 0x10);
  EXPECT_EQ(irr(0x20), 0);
  out(0x20, 0x20);
  EXPECT_EQ(isr(0x20), 0);
  EXPECT_FALSE(intr_);
  pic_.set_irq(4, false);
  pic_.set_irq(4, true);
  EXPECT_TRUE(intr_);
}

TEST_F(I8259Test, LevelComesBackAfterEoi) {
  initialise();
  pic_.port_write(0x4d0, 0x0200 | 0x20, 2);
  EXPECT_EQ(pic_.port_read(0x4d0, 2), 0x0220u);
  pic_.set_irq(5, true);
  EXPECT_EQ(pic_.acknowledge(), 0x25);
  EXPECT_FALSE(intr_);
  out(0x20, 0x20);
  EXPECT_TRUE(intr_);
  pic_.set_irq(5, false);
  EXPECT_FALSE(intr_);
}

TEST_F(I8259Test, ElcrKeepsTheFixedLinesOnEdge) {
  pic_.port_write(0x4d0, 0xffff, 2);
  EXPECT_EQ(pic_.port_read(0x4d0, 2), 0xdef8u);
}

TEST_F(I8259Test, PriorityNestsAndBlocks) {
  initialise();
  pic_.set_irq(4, true);
  EXPECT_EQ(pic_.acknowledge(), 0x24);
  pic_.set_irq(6, true);
  EXPECT_FALSE(intr_);
  pic_.set_irq(1, true);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(pic_.acknowledge(), 0x21);
  out(0x20, 0x20);  // ends line 1
  EXPECT_EQ(isr(0x20), 0x10);
  out(0x20, 0x64);  // specific, line 4
  EXPECT_TRUE(intr_);
  EXPECT_EQ(pic_.acknowledge(), 0x26);
}

TEST_F(I8259Test, CascadeTakesTheVectorOfTheSlave) {
  initialise();
  pic_.set_irq(12, true);
  EXPECT_EQ(pic_.acknowledge(), 0x2c);
  EXPECT_EQ(isr(0x20), 0x04);
  EXPECT_EQ(isr(0xa0), 0x10);
  pic_.set_irq(9, true);  // higher at the slave, but line 2 is in service at the master
  EXPECT_FALSE(intr_);
  out(0x20, 0x20);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(pic_.acknowledge(), 0x29);
  out(0xa0, 0x20);
  out(0xa0, 0x20);
  EXPECT_EQ(isr(0xa0), 0);
}

TEST_F(I8259Test, SpecialFullyNestedLetsTheSlaveThrough) {
  initialise(0x11);
  pic_.set_irq(12, true);
  EXPECT_EQ(pic_.acknowledge(), 0x2c);
  pic_.set_irq(9, true);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(pic_.acknowledge(), 0x29);
}

TEST_F(I8259Test, SpuriousVectorsOfBothChips) {
  initialise();
  EXPECT_EQ(pic_.acknowledge(), 0x27);
  EXPECT_EQ(isr(0x20), 0);
  pic_.set_irq(3, true);
  pic_.set_irq(3, false);
  EXPECT_FALSE(intr_);
  EXPECT_EQ(pic_.acknowledge(), 0x27);
}

TEST_F(I8259Test, MaskHoldsTheRequest) {
  initialise();
  out(0x21, 0xff);
  EXPECT_EQ(in(0x21), 0xff);
  pic_.set_irq(0, true);
  EXPECT_FALSE(intr_);
  out(0x21, 0xfe);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(pic_.acknowledge(), 0x20);
}

TEST_F(I8259Test, RotateOnEoiMakesTheLineLowest) {
  initialise();
  pic_.set_irq(3, true);
  EXPECT_EQ(pic_.acknowledge(), 0x23);
  out(0x20, 0xa0);  // rotate on non-specific EOI: now 4 is highest, 3 lowest
  pic_.set_irq(1, true);
  pic_.set_irq(5, true);
  EXPECT_EQ(pic_.acknowledge(), 0x25);
  out(0x20, 0x20);
  EXPECT_EQ(pic_.acknowledge(), 0x21);
  out(0x20, 0x20);
  out(0x20, 0xc7);  // set priority: 7 lowest again
  pic_.set_irq(5, false);
  pic_.set_irq(5, true);
  pic_.set_irq(0, true);
  EXPECT_EQ(pic_.acknowledge(), 0x20);
}

TEST_F(I8259Test, AutoEoiLeavesNothingInService) {
  initialise(0x03);
  pic_.set_irq(3, true);
  EXPECT_EQ(pic_.acknowledge(), 0x23);
  EXPECT_EQ(isr(0x20), 0);
  out(0x20, 0x80);  // rotate on automatic EOI
  pic_.set_irq(0, true);
  EXPECT_EQ(pic_.acknowledge(), 0x20);
  pic_.set_irq(0, false);
  pic_.set_irq(0, true);
  pic_.set_irq(7, true);
  EXPECT_EQ(pic_.acknowledge(), 0x27);
  EXPECT_EQ(pic_.acknowledge(), 0x20);
}

TEST_F(I8259Test, AutoEoiSlaveMakesANewEdgeForEachRequest) {
  initialise(0x03);
  pic_.set_irq(9, true);
  pic_.set_irq(10, true);
  EXPECT_EQ(pic_.acknowledge(), 0x29);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(pic_.acknowledge(), 0x2a);
  EXPECT_FALSE(intr_);
}

TEST_F(I8259Test, SpecialMaskModeFreesTheOthers) {
  initialise();
  pic_.set_irq(2 + 1, true);
  EXPECT_EQ(pic_.acknowledge(), 0x23);
  pic_.set_irq(6, true);
  EXPECT_FALSE(intr_);
  out(0x21, 0x08);
  EXPECT_FALSE(intr_);
  out(0x20, 0x68);
  EXPECT_TRUE(intr_);
  EXPECT_EQ(pic_.acknowledge(), 0x26);
  out(0x20, 0x20);  // ends 6, not the masked 3
  EXPECT_EQ(isr(0x20), 0x08);
  out(0x20, 0x20);
  EXPECT_EQ(isr(0x20), 0x08);
  out(0x20, 0x48);
  out(0x20, 0x20);
  EXPECT_EQ(isr(0x20), 0);
}

TEST_F(I8259Test, PollAcknowledgesOneChip) {
  initialise();
  out(0x20, 0x0c);
  EXPECT_EQ(in(0x20), 0x00);
  pic_.set_irq(11, true);
  out(0xa0, 0x0c);
  EXPECT_EQ(in(0xa0), 0x83);
  EXPECT_EQ(isr(0xa0), 0x08);
  EXPECT_EQ(isr(0x20), 0x00);
  EXPECT_FALSE(intr_);
}

TEST_F(I8259Test, InitialisationForgetsEdges) {
  initialise();
  pic_.set_irq(1, true);
  initialise();
  EXPECT_FALSE(intr_);
  pic_.set_irq(1, false);
  pic_.set_irq(1, true);
  EXPECT_EQ(pic_.acknowledge(), 0x21);
}

TEST_F(I8259Test, LinesOutOfRangeAreIgnored) {
  initialise();
  pic_.set_irq(16, true);
  pic_.set_irq(~0u, true);
  pic_.set_irq(2, true);
  EXPECT_FALSE(intr_);
}

}  // namespace
}  // namespace softvt
