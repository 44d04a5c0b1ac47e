// The scheduler with vcpus that only count.
#include "machine/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

namespace softvt {
namespace {

class CountingVcpu : public Vcpu {
 public:
  CountingVcpu(Timeline& timeline, char name, std::string& log)
      : timeline_(timeline), name_(name), log_(log) {}

  VcpuExit run(i64 budget) override {
    log_ += name_;
    stop_ = false;
    for (i64 i = 0; i < budget && !stop_ && !waiting; ++i) {
      ++count_;
      timeline_.set_now(timeline_.now() + kNanosPerInsn);
      if (on_instruction) on_instruction(count_);
    }
    VcpuExit exit = next_exit;
    if (waiting) exit.reason = ExitReason::Halt;
    return exit;
  }
  void complete(u64 value) override { completed = value; }
  void power_on_reset() override {}
  void set_boot_state(const BootState&) override {}
  bool ready() const override { return !waiting; }
  bool wakes_on_interrupt() const override { return waiting && interruptible; }
  void request_stop() override { stop_ = true; }
  void set_intr(bool) override {}
  u64 instructions() const override { return count_; }
  VcpuRegisters registers() const override { return {}; }

  std::function<void(u64)> on_instruction;
  bool waiting = false;
  bool interruptible = false;
  VcpuExit next_exit;
  u64 completed = 0;

 private:
  Timeline& timeline_;
  char name_;
  std::string& log_;
  u64 count_ = 0;
  bool stop_ = false;
};

class NoServer : public ExitServer {
 public:
  u64 serve_io(const VcpuExit::Io& io) override { return io.port; }
  u64 serve_mmio(const VcpuExit::Mmio& mmio) override { return mmio.address; }
};

struct SchedulerTest : testing::Test {
  SchedulerTest() {
    scheduler.add(a);
    scheduler.add(b);
  }
  Timeline timeline;
  NoServer server;
  Scheduler scheduler{timeline, server};
  std::string log;
  CountingVcpu a{timeline, 'a', log};
  CountingVcpu b{timeline, 'b', log};
};

constexpr u64 kQuantum = Scheduler::kQuantum;

TEST_F(SchedulerTest, TakesTurns) {
  const MachineExit exit = scheduler.run({.instructions = 4 * kQuantum}, nullptr);
  EXPECT_EQ(exit.cause, ExitCause::InstructionLimit);
  EXPECT_EQ(log, "abab");
  EXPECT_EQ(a.instructions(), 2 * kQuantum);
  EXPECT_EQ(timeline.now(), 4 * kQuantum * kNanosPerInsn);
}

TEST_F(SchedulerTest, AnEventCutsTheSliceButNotTheQuantum) {
  u64 fired_at = 0;
  Timeline::Timer timer(timeline, [&] { fired_at = timeline.now(); });
  timer.arm(100);
  scheduler.run({.instructions = 2 * kQuantum}, nullptr);
  EXPECT_EQ(fired_at, 100u);
  EXPECT_EQ(log, "aab");
  EXPECT_EQ(a.instructions(), kQuantum);
}

TEST_F(SchedulerTest, AnEarlierEventShortensTheRunningSlice) {
  u64 fired_at = 0;
  Timeline::Timer timer(timeline, [&] { fired_at = timeline.now(); });
  a.on_instruction = [&](u64 count) {
    if (count == 10) timer.arm(50);
  };
  scheduler.run({.instructions = kQuantum}, nullptr);
  EXPECT_EQ(fired_at, 50u);
}

TEST_F(SchedulerTest, SkipsWhoWaits) {
  b.waiting = true;
  scheduler.run({.instructions = 3 * kQuantum}, nullptr);
  EXPECT_EQ(log, "aaa");
}

TEST_F(SchedulerTest, TimeJumpsWhenAllWait) {
  a.waiting = b.waiting = true;
  a.interruptible = true;
  Timeline::Timer timer(timeline, [&] { a.waiting = false; });
  timer.arm(5'000'000'000'000);
  const MachineExit exit = scheduler.run({.instructions = 1000}, nullptr);
  EXPECT_EQ(exit.cause, ExitCause::InstructionLimit);
  EXPECT_EQ(timeline.now(), 5'000'000'000'000u + 1000 * kNanosPerInsn);
}

TEST_F(SchedulerTest, HaltedForEver) {
  a.waiting = b.waiting = true;
  EXPECT_EQ(scheduler.run({}, nullptr).cause, ExitCause::HaltedForever);
}

TEST_F(SchedulerTest, TimersDoNotKeepInterruptsOffAlive) {
  a.waiting = b.waiting = true;
  Timeline::Timer* self = nullptr;
  Timeline::Timer timer(timeline, [&] { self->arm(timeline.now() + 1'000'000); });
  self = &timer;
  timer.arm(1'000'000);
  EXPECT_EQ(scheduler.run({}, nullptr).cause, ExitCause::HaltedForever);
  EXPECT_LE(timeline.now(), Scheduler::kDeadAfterNanos);
}

TEST_F(SchedulerTest, TimeLimitHoldsInIdleTime) {
  a.waiting = b.waiting = true;
  a.interruptible = true;
  Timeline::Timer timer(timeline, [] {});
  timer.arm(1'000'000);
  EXPECT_EQ(scheduler.run({.nanos = 500}, nullptr).cause, ExitCause::TimeLimit);
  EXPECT_EQ(timeline.now(), 500u);
}

TEST_F(SchedulerTest, ARequestEndsTheSliceAndTheFirstOneCounts) {
  a.on_instruction = [&](u64 count) {
    if (count != 7) return;
    scheduler.request({.cause = ExitCause::DebugExit, .value = 3});
    scheduler.request({.cause = ExitCause::PowerOff});
  };
  const MachineExit exit = scheduler.run({}, nullptr);
  EXPECT_EQ(exit.cause, ExitCause::DebugExit);
  EXPECT_EQ(exit.value, 3u);
  EXPECT_EQ(a.instructions(), 7u);
}

TEST_F(SchedulerTest, ServesIoAndTellsFailures) {
  a.next_exit.reason = ExitReason::Io;
  a.next_exit.io.port = 0x71;
  a.on_instruction = [&](u64 count) {
    if (count == 1) a.request_stop();
    if (count < 2) return;
    a.next_exit.reason = ExitReason::FailEntry;
    a.next_exit.detail = "why";
    a.request_stop();
  };
  const MachineExit exit = scheduler.run({}, nullptr);
  EXPECT_EQ(a.completed, 0x71u);
  EXPECT_EQ(exit.cause, ExitCause::EntryFailed);
  EXPECT_EQ(exit.detail, "why");
  EXPECT_EQ(exit.status(), 10);
}

}  // namespace
}  // namespace softvt
