#include "devices/uart16550.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace softvt {
namespace {

constexpr u16 kBase = 0x3f8;
enum Port : u16 { kData = kBase, kIer, kIir, kLcr, kMcr, kLsr, kMsr, kScratch };
constexpr u32 kOut2 = 8;

class Uart : public ::testing::Test {
 protected:
  u32 in(u16 port) { return uart.port_read(port, 1); }
  void out(u16 port, u32 value) { uart.port_write(port, value, 1); }
  void advance(u64 nanos) {
    timeline.set_now(timeline.now() + nanos);
    timeline.fire_due();
  }

  Timeline timeline;
  std::vector<bool> edges;
  std::string sent;
  Uart16550 uart{kBase, timeline, [this](bool level) { edges.push_back(level); },
                 [this](u8 byte) { sent.push_back(static_cast<char>(byte)); }};
};

TEST_F(Uart, ResetState) {
  EXPECT_EQ(in(kIir), 0x01u);
  EXPECT_EQ(in(kLsr), 0x60u);
  EXPECT_EQ(in(kIer), 0u);
  EXPECT_EQ(in(kMsr), 0xb0u);
}

TEST_F(Uart, SendsBytes) {
  for (char c : std::string("hello")) out(kData, static_cast<u8>(c));
  EXPECT_EQ(sent, "hello");
  EXPECT_EQ(in(kLsr)&0x60, 0x60u);
}

TEST_F(Uart, DivisorLatchHidesDataAndIer) {
  out(kIer, 0x05);
  out(kLcr, 0x83);
  out(kData, 0x34);
  out(kIer, 0x12);
  EXPECT_EQ(in(kData), 0x34u);
  EXPECT_EQ(in(kIer), 0x12u);
  EXPECT_EQ(uart.port_read(kBase, 2), 0x1234u);
  out(kLcr, 0x03);
  EXPECT_EQ(in(kIer), 0x05u);
  EXPECT_TRUE(sent.empty());
}

TEST_F(Uart, ScratchAndIerMask) {
  out(kScratch, 0xa5);
  EXPECT_EQ(in(kScratch), 0xa5u);
  out(kIer, 0xff);
  EXPECT_EQ(in(kIer), 0x0fu);
}

TEST_F(Uart, FifoIdentification) {
  out(kIir, 0x01);
  EXPECT_EQ(in(kIir), 0xc1u);
  out(kIir, 0x00);
  EXPECT_EQ(in(kIir), 0x01u);
}

// A driver's test for the bug that THRE is not raised again when it is re-enabled.
TEST_F(Uart, EnablingThreRaisesItEachTime) {
  out(kMcr, kOut2);
  out(kIer, 0x02);
  EXPECT_EQ(in(kIir), 0x02u);
  EXPECT_EQ(in(kIir), 0x01u) << "reading IIR acknowledges THRE";
  out(kIer, 0x02);
  EXPECT_EQ(in(kIir), 0x01u) << "no rising edge of the enable";
  out(kIer, 0x00);
  out(kIer, 0x02);
  EXPECT_EQ(in(kIir), 0x02u);
}

TEST_F(Uart, EveryByteSentMakesAnEdge) {
  out(kMcr, kOut2);
  out(kIer, 0x02);
  out(kData, 'a');
  out(kData, 'b');
  EXPECT_EQ(edges, (std::vector<bool>{true, false, true, false, true}));
}

TEST_F(Uart, Out2GatesTheLine) {
  out(kIer, 0x02);
  EXPECT_TRUE(edges.empty());
  out(kMcr, kOut2);
  EXPECT_EQ(edges, std::vector<bool>{true});
  out(kMcr, 0);
  EXPECT_EQ(edges, (std::vector<bool>{true, false}));
}

TEST_F(Uart, LoopbackModemLines) {
  out(kMcr, 0x10 | 0x0a);  // OUT2 and RTS
  EXPECT_EQ(in(kMsr)&0xf0, 0x90u);
  EXPECT_EQ(in(kMsr)&0x0f, 0u) << "reading clears the deltas";
  out(kMcr, 0x10 | 0x04);  // OUT1 = ring
  EXPECT_EQ(in(kMsr), 0x40u | 0x09);
  out(kMcr, 0x10);
  EXPECT_EQ(in(kMsr), 0x04u) << "the trailing edge of ring";
}

TEST_F(Uart, ModemStatusInterrupt) {
  out(kMcr, kOut2 | 0x10);
  in(kMsr);
  edges.clear();
  out(kIer, 0x08);
  EXPECT_TRUE(edges.empty());
  out(kMcr, kOut2 | 0x12);
  EXPECT_EQ(edges, std::vector<bool>{true});
  EXPECT_EQ(in(kIir), 0x00u);
  in(kMsr);
  EXPECT_EQ(in(kIir), 0x01u);
}

TEST_F(Uart, LoopbackData) {
  out(kMcr, 0x10);
  out(kData, 0x5a);
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(in(kLsr)&1, 1u);
  EXPECT_EQ(in(kData), 0x5au);
  out(kData, 1);
  out(kData, 2);
  EXPECT_EQ(in(kLsr)&3, 3u) << "overrun of the holding register";
  EXPECT_EQ(in(kLsr)&2, 0u);
  EXPECT_EQ(in(kData), 2u);
}

TEST_F(Uart, LoopbackFifoOverrunKeepsOldBytes) {
  out(kIir, 0x01);
  out(kMcr, 0x10);
  for (u32 i = 0; i < 17; ++i) out(kData, i);
  EXPECT_EQ(in(kLsr)&2, 2u);
  for (u32 i = 0; i < 16; ++i) EXPECT_EQ(in(kData), i);
  EXPECT_EQ(in(kLsr)&1, 0u);
}

TEST_F(Uart, LineStatusInterruptHasPriority) {
  out(kIer, 0x0f);
  out(kMcr, 0x10 | kOut2);
  out(kData, 1);
  out(kData, 2);
  EXPECT_EQ(in(kIir), 0x06u);
  in(kLsr);
  EXPECT_EQ(in(kIir), 0x04u);
  in(kData);
  EXPECT_EQ(in(kIir), 0x02u);
  EXPECT_EQ(in(kIir), 0x00u);
}

TEST_F(Uart, InputWaitsInTheHostsQueue) {
  out(kIir, 0x01);
  std::string text(100, ' ');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('!' + i % 90);
  for (char c : text) uart.receive(static_cast<u8>(c));
  EXPECT_EQ(uart.queued(), 100u - 16u);
  std::string got;
  while ((in(kLsr)&1) != 0) got.push_back(static_cast<char>(in(kData)));
  EXPECT_EQ(got, text);
  EXPECT_EQ(in(kLsr)&2, 0u);
}

TEST_F(Uart, InputIsDisconnectedInLoopback) {
  out(kMcr, 0x10);
  uart.receive('x');
  EXPECT_EQ(in(kLsr)&1, 0u);
  out(kMcr, 0);
  EXPECT_EQ(in(kData), u32{'x'});
}

TEST_F(Uart, TriggerLevelAndTimeout) {
  out(kLcr, 0x03);
  out(kIir, 0x81);  // trigger at 8
  out(kMcr, kOut2);
  out(kIer, 0x01);
  for (int i = 0; i < 7; ++i) uart.receive('a');
  EXPECT_EQ(in(kIir), 0xc1u);
  uart.receive('a');
  EXPECT_EQ(in(kIir), 0xc4u);
  in(kData);
  EXPECT_EQ(in(kIir), 0xc1u) << "below the trigger";
  // 9600 baud, 10 bits: four characters take 4.17 ms.
  advance(4100000);
  EXPECT_EQ(in(kIir), 0xc1u);
  advance(100000);
  EXPECT_EQ(in(kIir), 0xccu);
  in(kData);
  EXPECT_EQ(in(kIir), 0xc1u) << "reading a character clears the timeout";
  advance(5000000);
  EXPECT_EQ(in(kIir), 0xccu);
}

TEST_F(Uart, FifoResetDropsBytes) {
  out(kIir, 0x01);
  uart.receive('a');
  out(kIir, 0x03);
  EXPECT_EQ(in(kLsr)&1, 0u);
  uart.receive('b');
  out(kIir, 0x00);
  EXPECT_EQ(in(kLsr)&1, 0u) << "switching the FIFOs off clears them";
}

TEST_F(Uart, ReceiveWithoutFifoMakesAnEdgePerByte) {
  out(kMcr, kOut2);
  out(kIer, 0x01);
  uart.receive('a');
  uart.receive('b');
  EXPECT_EQ(in(kData), u32{'a'});
  EXPECT_EQ(in(kData), u32{'b'});
  EXPECT_EQ(edges, (std::vector<bool>{true, false, true, false}));
}

}  // namespace
}  // namespace softvt
