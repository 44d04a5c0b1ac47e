#include "cpu/apic/local_apic.h"

#include <gtest/gtest.h>

#include <vector>

namespace softvt {
namespace {

class RecordingBus : public ApicBus {
 public:
  void deliver(const InterruptMessage& message) override { messages.push_back(message); }
  void broadcast_eoi(u8 vector) override { ended.push_back(vector); }
  std::vector<InterruptMessage> messages;
  std::vector<u8> ended;
};

class LocalApicTest : public ::testing::Test {
 protected:
  static LocalApicOptions options() {
    LocalApicOptions options;
    options.id = 5;
    options.bootstrap = true;
    return options;
  }
  LocalApicEvents events() {
    LocalApicEvents events;
    events.nmi = [this] { ++nmis_; };
    events.init = [this] { ++inits_; };
    events.smi = [this] { ++smis_; };
    events.sipi = [this](u8 vector) { sipi_ = vector; };
    events.interrupt_changed = [this] { ++changes_; };
    return events;
  }
  void write(u32 offset, u32 value) { apic_.mmio_write(offset, value, 4); }
  u32 read(u32 offset) { return static_cast<u32>(apic_.mmio_read(offset, 4)); }
  void enable() { write(0xf0, 0x1ff); }
  bool enter_x2apic() { return apic_.set_apic_base(apic_.apic_base() | 0x400); }
  u64 msr(u32 index) {
    u64 value = 0;
    EXPECT_TRUE(apic_.msr_read(index, value)) << std::hex << index;
    return value;
  }
  bool msr_faults(u32 index) {
    u64 value = 0;
    return !apic_.msr_read(index, value);
  }
  void run_to(u64 nanos) {
    while (timeline_.next_event() <= nanos) {
      timeline_.set_now(timeline_.next_event());
      timeline_.fire_due();
    }
    timeline_.set_now(nanos);
  }
  // Takes and ends every pending interrupt; tells how many there were.
  int drain() {
    int count = 0;
    while (apic_.pending_vector() >= 0) {
      apic_.acknowledge();
      write(0xb0, 0);
      ++count;
    }
    return count;
  }

  int nmis_ = 0;
  int inits_ = 0;
  int smis_ = 0;
  int sipi_ = -1;
  int changes_ = 0;
  u64 tsc_offset_ = 0;
  Timeline timeline_;
  RecordingBus bus_;
  LocalApic apic_{options(), timeline_, bus_, [this] { return timeline_.now() * 2 + tsc_offset_; },
                  events()};
};

TEST_F(LocalApicTest, PowerUpState) {
  EXPECT_EQ(apic_.apic_base(), 0xfee00900u);
  EXPECT_EQ(read(0x20), 5u << 24);
  EXPECT_EQ(read(0x30), 0x01050014u);
  EXPECT_EQ(read(0xf0), 0xffu);
  EXPECT_EQ(read(0xe0), 0xffffffffu);
  for (u32 lvt = 0x320; lvt <= 0x370; lvt += 0x10) EXPECT_EQ(read(lvt), 0x10000u);
}

TEST_F(LocalApicTest, SoftwareDisabledMasksAndRefuses) {
  write(0x320, 0x31);
  EXPECT_EQ(read(0x320), 0x10031u);
  apic_.accept(0x50, false);
  EXPECT_EQ(apic_.pending_vector(), -1);
  enable();
  write(0x320, 0x31);
  EXPECT_EQ(read(0x320), 0x31u);
  apic_.accept(0x50, false);
  write(0xf0, 0xff);
  EXPECT_EQ(read(0x320), 0x10031u);
  EXPECT_EQ(apic_.pending_vector(), 0x50);  // what was accepted stays
}

TEST_F(LocalApicTest, PrioritiesNest) {
  enable();
  apic_.accept(0x41, false);
  apic_.accept(0x52, false);
  EXPECT_EQ(apic_.pending_vector(), 0x52);
  EXPECT_EQ(apic_.acknowledge(), 0x52);
  EXPECT_EQ(apic_.processor_priority(), 0x50);
  EXPECT_EQ(apic_.pending_vector(), -1);
  apic_.accept(0x5f, false);  // of the same class: waits
  EXPECT_EQ(apic_.pending_vector(), -1);
  apic_.accept(0x60, false);
  EXPECT_EQ(apic_.acknowledge(), 0x60);
  EXPECT_EQ(read(0x130), 1u);
  EXPECT_EQ(read(0x120), 1u << 18);
  write(0xb0, 0);
  EXPECT_EQ(apic_.pending_vector(), -1);
  write(0xb0, 0);
  EXPECT_EQ(apic_.pending_vector(), 0x5f);
  EXPECT_TRUE(bus_.ended.empty());
}

TEST_F(LocalApicTest, TaskPriorityAndCr8) {
  enable();
  apic_.accept(0x41, false);
  apic_.set_cr8(4);
  EXPECT_EQ(read(0x80), 0x40u);
  EXPECT_EQ(apic_.pending_vector(), -1);
  write(0x80, 0x3f);
  EXPECT_EQ(apic_.cr8(), 3);
  EXPECT_EQ(read(0xa0), 0x3fu);
  EXPECT_EQ(apic_.pending_vector(), 0x41);
}

TEST_F(LocalApicTest, AcknowledgeOfNothingIsSpurious) {
  enable();
  EXPECT_EQ(apic_.acknowledge(), 0xff);
  EXPECT_EQ(read(0x170), 0u);
}

TEST_F(LocalApicTest, LevelEoiIsBroadcastUnlessSuppressed) {
  enable();
  apic_.accept(0x41, true);
  EXPECT_EQ(read(0x1a0), 2u);
  apic_.acknowledge();
  write(0xb0, 0);
  EXPECT_EQ(bus_.ended, std::vector<u8>{0x41});
  write(0xf0, 0x11ff);
  apic_.accept(0x41, true);
  apic_.acknowledge();
  write(0xb0, 0);
  EXPECT_EQ(bus_.ended.size(), 1u);
  write(0xb0, 0);  // nothing in service
  EXPECT_EQ(bus_.ended.size(), 1u);
}

TEST_F(LocalApicTest, ErrorsAreLatchedByAWrite) {
  enable();
  write(0x370, 0x33);
  apic_.accept(0x0f, false);
  EXPECT_EQ(read(0x280), 0u);
  EXPECT_EQ(apic_.pending_vector(), 0x33);
  EXPECT_EQ(drain(), 1);
  apic_.accept(0x0e, false);  // not reported again before ESR is written
  EXPECT_EQ(drain(), 0);
  write(0x280, 0);
  EXPECT_EQ(read(0x280), 0x40u);
  read(0x40);  // reserved address
  write(0x300, 0x4005);
  write(0x280, 0);
  EXPECT_EQ(read(0x280), 0xa0u);
  write(0x280, 0);
  EXPECT_EQ(read(0x280), 0u);
}

TEST_F(LocalApicTest, IllegalErrorVectorDoesNotRecurse) {
  enable();
  write(0x370, 0x05);
  apic_.accept(3, false);
  write(0x280, 0);
  EXPECT_EQ(read(0x280), 0x40u);
}

TEST_F(LocalApicTest, OneShotTimer) {
  enable();
  write(0x320, 0x40);
  write(0x3e0, 0x3);  // divide by 16
  write(0x380, 1000);
  run_to(8000);
  EXPECT_EQ(read(0x390), 500u);
  run_to(15'999);
  EXPECT_EQ(read(0x390), 1u);
  EXPECT_EQ(drain(), 0);
  run_to(16'000);
  EXPECT_EQ(read(0x390), 0u);
  EXPECT_EQ(drain(), 1);
  run_to(100'000);
  EXPECT_EQ(drain(), 0);
  EXPECT_EQ(read(0x380), 1000u);
}

TEST_F(LocalApicTest, DivideTable) {
  enable();
  const std::vector<std::pair<u32, u32>> rows = {{0, 2},  {1, 4},  {2, 8},    {3, 16},
                                                 {8, 32}, {9, 64}, {10, 128}, {11, 1}};
  for (const auto& [code, divide] : rows) {
    write(0x3e0, code);
    write(0x380, 1'000'000);
    const u64 start = timeline_.now();
    run_to(start + 1280);
    EXPECT_EQ(read(0x390), 1'000'000 - 1280 / divide) << code;
  }
}

TEST_F(LocalApicTest, PeriodicTimer) {
  enable();
  write(0x3e0, 0xb);
  write(0x320, 0x20040);
  write(0x380, 5000);
  int fired = 0;
  for (u64 now = 5000; now <= 50'000; now += 5000) {
    run_to(now);
    fired += drain();
  }
  EXPECT_EQ(fired, 10);
  run_to(51'000);
  EXPECT_EQ(read(0x390), 4000u);
  write(0x380, 0);
  EXPECT_EQ(timeline_.next_event(), kNever);
  EXPECT_EQ(read(0x390), 0u);
}

TEST_F(LocalApicTest, TinyPeriodDoesNotFlood) {
  enable();
  write(0x3e0, 0xb);
  write(0x320, 0x20040);
  write(0x380, 7);
  int events = 0;
  while (timeline_.next_event() <= 1'000'000) {
    timeline_.set_now(timeline_.next_event());
    timeline_.fire_due();
    EXPECT_LE(read(0x390), 7u);
    ++events;
  }
  EXPECT_GT(events, 900);
  EXPECT_LE(events, 1001);
}

TEST_F(LocalApicTest, MaskedTimerRunsSilently) {
  enable();
  write(0x320, 0x10040);
  write(0x380, 100);
  run_to(10'000);
  EXPECT_EQ(drain(), 0);
}

TEST_F(LocalApicTest, TscDeadline) {
  enable();
  tsc_offset_ = 1'000'000;
  apic_.set_tsc_deadline(5);  // not in deadline mode: ignored
  EXPECT_EQ(apic_.tsc_deadline(), 0u);
  write(0x320, 0x40040);
  apic_.set_tsc_deadline(1'000'000 + 2001);
  EXPECT_EQ(apic_.tsc_deadline(), 1'002'001u);
  write(0x380, 100);  // ignored
  EXPECT_EQ(read(0x390), 0u);
  run_to(1000);
  EXPECT_EQ(drain(), 0);
  run_to(1001);
  EXPECT_EQ(drain(), 1);
  EXPECT_EQ(apic_.tsc_deadline(), 0u);
  apic_.set_tsc_deadline(1);  // passed: at once
  EXPECT_EQ(drain(), 1);
  apic_.set_tsc_deadline(~u64{0});
  EXPECT_EQ(drain(), 0);
  write(0x320, 0x40);  // leaving the mode disarms
  EXPECT_EQ(apic_.tsc_deadline(), 0u);
  EXPECT_EQ(timeline_.next_event(), kNever);
}

TEST_F(LocalApicTest, TscDeadlineFollowsTheTsc) {
  enable();
  write(0x320, 0x40040);
  apic_.set_tsc_deadline(10'000);
  tsc_offset_ = 9'000;
  apic_.tsc_changed();
  run_to(500);
  EXPECT_EQ(drain(), 1);
  apic_.set_tsc_deadline(20'000);
  tsc_offset_ = 30'000;
  apic_.tsc_changed();
  EXPECT_EQ(drain(), 1);
}

TEST_F(LocalApicTest, LintPins) {
  EXPECT_FALSE(apic_.accepts_extint());
  apic_.program_virtual_wire();
  EXPECT_TRUE(apic_.accepts_extint());
  apic_.set_lint(1, true);
  apic_.set_lint(1, true);
  EXPECT_EQ(nmis_, 1);
  write(0x350, 0x10700);
  EXPECT_FALSE(apic_.accepts_extint());
  write(0x350, 0x0044);  // fixed, edge
  apic_.set_lint(0, true);
  EXPECT_EQ(drain(), 1);
  apic_.set_lint(0, false);
  write(0x350, 0x8044);  // fixed, level
  apic_.set_lint(0, true);
  EXPECT_EQ(read(0x350), 0xc044u);
  EXPECT_EQ(apic_.acknowledge(), 0x44);
  write(0xb0, 0);
  EXPECT_EQ(apic_.pending_vector(), 0x44);  // still asserted
  apic_.set_lint(0, false);
  EXPECT_EQ(drain(), 1);
  EXPECT_EQ(read(0x350), 0x8044u);
  apic_.set_lint(2, true);
}

TEST_F(LocalApicTest, DisabledApicIsTransparent) {
  enable();
  apic_.accept(0x41, false);
  EXPECT_TRUE(apic_.set_apic_base(0xfee00100));
  EXPECT_TRUE(apic_.accepts_extint());
  EXPECT_EQ(apic_.pending_vector(), -1);
  EXPECT_FALSE(apic_.mmio_enabled());
  EXPECT_EQ(read(0x30), ~0u);
  apic_.set_lint(1, true);
  EXPECT_EQ(nmis_, 1);
  EXPECT_TRUE(apic_.set_apic_base(0xfee00900));
  EXPECT_EQ(read(0xf0), 0xffu);
  EXPECT_EQ(apic_.pending_vector(), -1);
}

TEST_F(LocalApicTest, BaseTransitions) {
  EXPECT_FALSE(apic_.set_apic_base(0xfee00500));  // extended but not enabled
  EXPECT_FALSE(apic_.set_apic_base(0xfee00901));  // reserved bit
  EXPECT_FALSE(apic_.set_apic_base(u64{1} << 46 | 0x900));
  EXPECT_TRUE(apic_.set_apic_base(0xfed00900));
  EXPECT_EQ(apic_.base(), 0xfed00000u);
  EXPECT_TRUE(apic_.set_apic_base(0xfee00d00));
  EXPECT_TRUE(apic_.x2apic_mode());
  EXPECT_FALSE(apic_.set_apic_base(0xfee00900));  // x2APIC to xAPIC
  EXPECT_TRUE(apic_.set_apic_base(0xfee00d00));
  EXPECT_TRUE(apic_.set_apic_base(0xfee00100));
  EXPECT_FALSE(apic_.set_apic_base(0xfee00d00));  // disabled to x2APIC
  EXPECT_TRUE(apic_.set_apic_base(0xfee00900));
}

TEST_F(LocalApicTest, X2ApicNeedsTheFeature) {
  LocalApicOptions plain = options();
  plain.x2apic = false;
  plain.tsc_deadline = false;
  LocalApic apic(plain, timeline_, bus_, nullptr, {});
  EXPECT_FALSE(apic.set_apic_base(0xfee00d00));
  apic.mmio_write(0xf0, 0x1ff, 4);
  apic.mmio_write(0x320, 0x40040, 4);
  EXPECT_EQ(apic.mmio_read(0x320, 4), 0x40u);
}

TEST_F(LocalApicTest, X2ApicRegisters) {
  EXPECT_TRUE(msr_faults(0x802));  // xAPIC mode
  enable();
  ASSERT_TRUE(enter_x2apic());
  EXPECT_EQ(msr(0x802), 5u);
  EXPECT_EQ(msr(0x80d), 0x20u);
  EXPECT_EQ(msr(0x80f), 0x1ffu);
  for (u32 index : {0x80b, 0x80e, 0x809, 0x80c, 0x831, 0x83f, 0x82f, 0x800, 0x8ff, 0x7ff, 0x900}) {
    EXPECT_TRUE(msr_faults(index)) << std::hex << index;
  }
  EXPECT_FALSE(apic_.msr_write(0x802, 1));
  EXPECT_FALSE(apic_.msr_write(0x80d, 1));
  EXPECT_FALSE(apic_.msr_write(0x80b, 1));
  EXPECT_TRUE(apic_.msr_write(0x80b, 0));
  EXPECT_FALSE(apic_.msr_write(0x828, 1));
  EXPECT_FALSE(apic_.msr_write(0x808, 0x100));
  EXPECT_FALSE(apic_.msr_write(0x808, u64{1} << 32));
  EXPECT_TRUE(apic_.msr_write(0x808, 0x20));
  EXPECT_FALSE(apic_.msr_write(0x832, 0x80000));
  EXPECT_FALSE(apic_.msr_write(0x839, 1));
}

TEST_F(LocalApicTest, X2ApicIpis) {
  enable();
  ASSERT_TRUE(enter_x2apic());
  EXPECT_TRUE(apic_.msr_write(0x830, 0x0001'0203'0000'4831));
  ASSERT_EQ(bus_.messages.size(), 1u);
  EXPECT_EQ(bus_.messages[0].destination, 0x10203u);
  EXPECT_TRUE(bus_.messages[0].x2apic_destination);
  EXPECT_TRUE(bus_.messages[0].logical);
  EXPECT_EQ(msr(0x830), 0x0001'0203'0000'4831u);
  EXPECT_FALSE(apic_.msr_write(0x830, 0x100000));
  EXPECT_TRUE(apic_.msr_write(0x83f, 0x77));
  EXPECT_EQ(apic_.pending_vector(), 0x77);
  EXPECT_FALSE(apic_.msr_write(0x83f, 0x177));
}

TEST_F(LocalApicTest, XapicIcr) {
  enable();
  write(0x310, 0x03000000);
  write(0x300, 0x000c4500);  // INIT to all but self
  write(0x300, 0x00084400);  // NMI to all including self: no valid combination
  write(0x300, 0x00044031);  // fixed to self
  write(0x300, 0x00004300);  // reserved mode
  ASSERT_EQ(bus_.messages.size(), 2u);
  EXPECT_EQ(bus_.messages[0].shorthand, DestinationShorthand::kAllButSelf);
  EXPECT_EQ(bus_.messages[0].mode, DeliveryMode::kInit);
  EXPECT_EQ(bus_.messages[0].destination, 3u);
  EXPECT_EQ(bus_.messages[1].shorthand, DestinationShorthand::kSelf);
  EXPECT_EQ(read(0x300), 0x00004300u);
}

TEST_F(LocalApicTest, MessagesReachTheVcpu) {
  InterruptMessage message;
  message.mode = DeliveryMode::kInit;
  message.level_triggered = true;
  message.assert_level = false;
  apic_.receive(message);
  EXPECT_EQ(inits_, 0);
  message.assert_level = true;
  apic_.receive(message);
  message.mode = DeliveryMode::kStartup;
  message.vector = 0x9a;
  apic_.receive(message);
  message.mode = DeliveryMode::kSmi;
  apic_.receive(message);
  message.mode = DeliveryMode::kNmi;
  apic_.receive(message);
  message.mode = DeliveryMode::kExtInt;
  apic_.receive(message);
  EXPECT_EQ(inits_, 1);
  EXPECT_EQ(sipi_, 0x9a);
  EXPECT_EQ(smis_, 1);
  EXPECT_EQ(nmis_, 1);
  EXPECT_TRUE(apic_.extint_pending());
  apic_.clear_extint();
  EXPECT_FALSE(apic_.extint_pending());
}

TEST_F(LocalApicTest, InitKeepsBaseAndId) {
  enable();
  apic_.accept(0x41, false);
  ASSERT_TRUE(apic_.set_apic_base(0xfed00900));
  apic_.init_reset();
  EXPECT_EQ(apic_.apic_base(), 0xfed00900u);
  EXPECT_EQ(read(0x20), 5u << 24);
  EXPECT_EQ(read(0xf0), 0xffu);
  EXPECT_EQ(apic_.pending_vector(), -1);
  apic_.reset();
  EXPECT_EQ(apic_.apic_base(), 0xfee00900u);
}

TEST_F(LocalApicTest, OddAccesses) {
  enable();
  EXPECT_EQ(apic_.mmio_read(0x30, 1), 0x14u);
  EXPECT_EQ(apic_.mmio_read(0x32, 2), 0x0105u);
  EXPECT_EQ(apic_.mmio_read(0x30, 8), 0x01050014u);
  EXPECT_EQ(apic_.mmio_read(0x34, 4), 0u);
  apic_.mmio_write(0x80, 0x33, 1);
  apic_.mmio_write(0x84, 0x33, 4);
  EXPECT_EQ(read(0x80), 0u);
  for (u64 offset = 0; offset <= 0x1000; ++offset) {
    for (unsigned size : {1u, 2u, 4u, 8u}) {
      apic_.mmio_write(offset, ~u64{0}, size);
      apic_.mmio_read(offset, size);
    }
  }
}

TEST_F(LocalApicTest, EveryMsrTakesHostileValues) {
  enable();
  ASSERT_TRUE(enter_x2apic());
  for (u32 index = 0x700; index < 0xa00; ++index) {
    for (u64 value : {u64{0}, u64{1}, u64{0xffff}, u64{0x80000000}, ~u64{0}}) {
      apic_.msr_write(index, value);
    }
    u64 value = 0;
    apic_.msr_read(index, value);
  }
}

TEST_F(LocalApicTest, ChangesAreReported) {
  enable();
  changes_ = 0;
  apic_.accept(0x41, false);
  EXPECT_EQ(changes_, 1);
  apic_.accept(0x41, false);
  EXPECT_EQ(changes_, 1);
  apic_.set_task_priority(0xff);
  EXPECT_EQ(changes_, 2);
}

TEST(ApicRegisterTable, RowsDoNotOverlap) {
  for (const ApicRegisterRow& row : kApicRegisters) {
    for (unsigned i = 0; i < row.count; ++i) {
      EXPECT_EQ(find_apic_register(static_cast<u32>(row.id) + 16 * i), &row) << row.name;
    }
    EXPECT_EQ(row.writable & row.read_only, 0u) << row.name;
  }
}

TEST_F(LocalApicTest, NmiSmiAndInitToItself) {
  enable();
  write(0x300, 0x00044400);
  write(0x300, 0x00044200);
  write(0x300, 0x00044500);
  ASSERT_EQ(bus_.messages.size(), 3u);
  EXPECT_EQ(bus_.messages[0].mode, DeliveryMode::kNmi);
  EXPECT_EQ(bus_.messages[1].mode, DeliveryMode::kSmi);
  EXPECT_EQ(bus_.messages[2].mode, DeliveryMode::kInit);
  for (const InterruptMessage& message : bus_.messages)
    EXPECT_EQ(message.shorthand, DestinationShorthand::kSelf);
}

}  // namespace
}  // namespace softvt
