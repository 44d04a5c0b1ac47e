#include "devices/i8042.h"

#include <gtest/gtest.h>

#include <vector>

namespace softvt {
namespace {

constexpr u16 kData = 0x60;
constexpr u16 kCommand = 0x64;

class Keyboard : public ::testing::Test {
 protected:
  u32 in(u16 port) { return kbc.port_read(port, 1); }
  void out(u16 port, u32 value) { kbc.port_write(port, value, 1); }
  bool full() { return (in(kCommand)&1) != 0; }

  std::vector<bool> edges;
  std::vector<bool> a20_changes;
  int resets = 0;
  A20Gate a20{[this](bool open) { a20_changes.push_back(open); }};
  I8042 kbc{[this](bool level) { edges.push_back(level); }, a20, [this] { ++resets; }};
};

TEST_F(Keyboard, SelfTest) {
  EXPECT_EQ(in(kCommand)&0x14, 0x10u);
  out(kCommand, 0xaa);
  EXPECT_EQ(in(kCommand), 0x1du) << "full, system flag, command, unlocked";
  EXPECT_EQ(in(kData), 0x55u);
  EXPECT_FALSE(full());
}

TEST_F(Keyboard, CommandByteReadsBack) {
  out(kCommand, 0x60);
  out(kData, 0x45);
  EXPECT_FALSE(full()) << "a parameter is no byte for the keyboard";
  out(kCommand, 0x20);
  EXPECT_EQ(in(kData), 0x65u) << "the missing second port stays disabled";
  out(kCommand, 0x7f);
  out(kData, 0x77);
  out(kCommand, 0x3f);
  EXPECT_EQ(in(kData), 0x77u);
}

TEST_F(Keyboard, KeyboardEnableBit) {
  out(kCommand, 0xad);
  out(kCommand, 0x20);
  EXPECT_EQ(in(kData)&0x10, 0x10u);
  out(kCommand, 0xae);
  out(kCommand, 0x20);
  EXPECT_EQ(in(kData)&0x10, 0u);
}

// What a prober does to find a second port: each answer comes at once and says no.
TEST_F(Keyboard, NoSecondPort) {
  out(kCommand, 0xd3);
  out(kData, 0x5a);
  EXPECT_TRUE(full());
  EXPECT_EQ(in(kCommand)&0x20, 0u) << "the byte does not come from the second port";
  EXPECT_EQ(in(kData), 0x5au);
  out(kCommand, 0xa9);
  EXPECT_EQ(in(kData), 0x01u);
  out(kCommand, 0xa8);
  out(kCommand, 0x20);
  EXPECT_EQ(in(kData)&0x20, 0x20u);
}

TEST_F(Keyboard, AbsentKeyboardTimesOut) {
  out(kCommand, 0x60);
  out(kData, 0x01);
  out(kData, 0xf2);
  EXPECT_EQ(in(kCommand)&0x61, 0x41u);
  EXPECT_EQ(edges, std::vector<bool>{true});
  EXPECT_EQ(in(kData), 0xfeu);
  EXPECT_EQ(edges.back(), false);
  out(kCommand, 0xd4);
  out(kData, 0xff);
  EXPECT_EQ(in(kCommand)&0x61, 0x61u);
  EXPECT_EQ(edges.back(), false) << "data of the second port raises no keyboard interrupt";
}

TEST_F(Keyboard, A20ThroughOutputPort) {
  out(kCommand, 0xd0);
  EXPECT_EQ(in(kData)&3, 3u);
  out(kCommand, 0xd1);
  out(kData, 0xdd);
  EXPECT_FALSE(a20.open());
  out(kCommand, 0xdf);
  EXPECT_TRUE(a20.open());
  out(kCommand, 0xdd);
  EXPECT_EQ(a20_changes, (std::vector<bool>{false, true, false}));
  EXPECT_EQ(resets, 0);
}

TEST_F(Keyboard, Resets) {
  out(kCommand, 0xff);
  EXPECT_EQ(resets, 0) << "no line pulsed";
  out(kCommand, 0xfe);
  EXPECT_EQ(resets, 1);
  out(kCommand, 0xd1);
  out(kData, 0xfe);
  EXPECT_EQ(resets, 2);
}

TEST_F(Keyboard, OutputIsBounded) {
  for (int i = 0; i < 100000; ++i) out(kData, 0xff);
  int bytes = 0;
  while (full()) {
    in(kData);
    ++bytes;
  }
  EXPECT_EQ(bytes, 16);
}

}  // namespace
}  // namespace softvt
