#include "devices/reset_control.h"

#include <gtest/gtest.h>

namespace softvt {
namespace {

class Reset : public ::testing::Test {
 protected:
  int resets = 0;
  A20Gate a20;
  ResetControl control{a20, [this] { ++resets; }};
};

TEST_F(Reset, PortAResetsOnRisingEdge) {
  control.port_write(0x92, 0x02, 1);
  EXPECT_EQ(resets, 0);
  control.port_write(0x92, 0x03, 1);
  EXPECT_EQ(resets, 1);
  control.port_write(0x92, 0x03, 1);
  EXPECT_EQ(resets, 1);
}

TEST_F(Reset, PortAHoldsA20) {
  a20.set(A20Gate::Source::kKeyboardController, false);
  EXPECT_FALSE(a20.open());
  control.port_write(0x92, 0x02, 1);
  EXPECT_TRUE(a20.open());
  EXPECT_EQ(control.port_read(0x92, 1), 0x02u);
  control.port_write(0x92, 0x00, 1);
  EXPECT_FALSE(a20.open());
}

TEST_F(Reset, ResetControlRegister) {
  control.port_write(0xcf9, 0x02, 1);
  EXPECT_EQ(control.port_read(0xcf9, 1), 0x02u);
  EXPECT_EQ(resets, 0);
  control.port_write(0xcf9, 0x06, 1);
  EXPECT_EQ(resets, 1);
  control.port_write(0xcf9, 0x0e, 1);
  EXPECT_EQ(resets, 2) << "the start bit clears itself";
}

TEST(A20GateTest, EitherInputOpensIt) {
  int changes = 0;
  A20Gate gate([&changes](bool) { ++changes; });
  EXPECT_TRUE(gate.open());
  gate.set(A20Gate::Source::kPortA, true);
  gate.set(A20Gate::Source::kKeyboardController, false);
  EXPECT_TRUE(gate.open());
  EXPECT_EQ(changes, 0);
  gate.set(A20Gate::Source::kPortA, false);
  EXPECT_EQ(changes, 1);
  gate.reset();
  EXPECT_TRUE(gate.open());
}

}  // namespace
}  // namespace softvt
