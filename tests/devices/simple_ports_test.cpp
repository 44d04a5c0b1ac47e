// The devices that consist of one port: debug-exit, pvpanic, shutdown port, POST port, debugcon.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "devices/debug_exit.h"
#include "devices/debugcon.h"
#include "devices/post_port.h"
#include "devices/pvpanic.h"
#include "devices/shutdown_port.h"

namespace softvt {
namespace {

TEST(DebugExitTest, GivesTheValueOfItsSize) {
  std::vector<u32> values;
  DebugExit device([&values](u32 value) { values.push_back(value); }, 0x501);
  device.port_write(0x501, 0xffffff2a, 1);
  device.port_write(0x501, 0x12345678, 2);
  device.port_write(0x501, 0x12345678, 4);
  device.port_write(0x502, 1, 1);
  EXPECT_EQ(values, (std::vector<u32>{0x2a, 0x5678, 0x12345678}));
}

TEST(PvPanicTest, ReportsKnownEvents) {
  std::vector<u8> events;
  PvPanic device([&events](u8 bits) { events.push_back(bits); });
  EXPECT_EQ(device.port_read(0x505, 1), 0x03u);
  device.port_write(0x505, 0x80, 1);
  device.port_write(0x505, 0x01, 1);
  device.port_write(0x505, 0xff, 1);
  EXPECT_EQ(events, (std::vector<u8>{1, 3}));
}

TEST(ShutdownPortTest, NeedsTheWholeWord) {
  int offs = 0;
  ShutdownPort device([&offs] { ++offs; });
  const auto write = [&device](const std::string& text) {
    for (char c : text) device.port_write(0x8900, static_cast<u8>(c), 1);
  };
  write("Shutdow");
  write("Shutdow");
  EXPECT_EQ(offs, 0);
  write("n");
  EXPECT_EQ(offs, 1);
  write("SShutdown");
  EXPECT_EQ(offs, 2);
  write("shutdown");
  EXPECT_EQ(offs, 2);
}

TEST(PostPortTest, KeepsItsByte) {
  PostPort device;
  device.port_write(0x80, 0xd1, 1);
  device.port_write(0xed, 0x02, 1);
  EXPECT_EQ(device.port_read(0x80, 1), 0xd1u);
  EXPECT_EQ(device.post_code(), 0xd1);
  EXPECT_EQ(device.port_read(0xed, 1), 0x02u);
}

TEST(DebugConTest, WritesAndIdentifies) {
  std::string text;
  DebugCon device([&text](u8 byte) { text.push_back(static_cast<char>(byte)); });
  device.port_write(0xe9, 'o', 1);
  device.port_write(0xe9, 'k' | 'x' << 8, 2);
  EXPECT_EQ(text, "ok") << "the second byte of a word goes to the next port";
  EXPECT_EQ(device.port_read(0xe9, 1), 0xe9u);
}

}  // namespace
}  // namespace softvt
