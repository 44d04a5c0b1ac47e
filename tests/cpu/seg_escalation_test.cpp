// Which events VMX or SVM is asked about while one is delivered, and in which order.
#include <string>
#include <vector>

#include "tests/cpu/seg_machine.h"

namespace softvt::test {
namespace {

// Notes each question and takes the exit for the chosen vector.
class Recorder final : public VirtExtension {
 public:
  int exit_vector = -1;
  bool exit_on_triple_fault = false;
  bool exit_on_task_switch = false;
  std::vector<std::string> asked;
  u64 task_detail = 0;
  int task_during = -1;

  bool intercept(Cpu& cpu, const Insn&, Intercept what, u64 detail, u64) override {
    if (what != Intercept::TaskSwitch) return false;
    task_detail = detail;
    task_during = cpu.delivering ? cpu.delivering->vector : -1;
    return exit_on_task_switch;
  }
  bool exception(Cpu&, Event& event, const Event* during) override {
    const std::string vector = std::to_string(event.vector);
    asked.push_back(during ? vector + " during " + std::to_string(during->vector) : vector);
    return event.vector == exit_vector;
  }
  bool triple_fault(Cpu&) override {
    asked.push_back("triple");
    return exit_on_triple_fault;
  }
  bool boundary(Cpu&) override { return false; }
  bool external(Cpu&, External, u8) override { return false; }
  bool interrupts_allowed(const Cpu&) const override { return true; }
  bool wakes(const Cpu&) const override { return false; }
  bool translate(Cpu&, u64, const GpaAccess&, SecondStage&) override { return false; }
  void take_second_stage_exit(Cpu&, const Event*) override { asked.push_back("second stage"); }
  bool second_stage_active(const Cpu&) const override { return false; }
};

struct GuestMachine : SegMachine {
  GuestMachine() {
    protected_mode(0);
    cpu.virt = &recorder;
    cpu.guest_mode = true;
  }
  Recorder recorder;
};

using Asked = std::vector<std::string>;

TEST(Escalation, SecondFaultIsAskedAboutBeforeTheDoubleFault) {
  GuestMachine m;  // the IDT is empty: each delivery ends in #GP
  m.recorder.exit_on_triple_fault = true;
  EXPECT_EQ(m.deliver_fault(Vector::PF, true, 0), Delivered::VmExit);
  EXPECT_EQ(m.recorder.asked, (Asked{"14", "13 during 14", "8", "13 during 8", "triple"}));
  EXPECT_EQ(m.cpu.activity, Activity::Active);
}

TEST(Escalation, ExitOfTheSecondFault) {
  GuestMachine m;
  m.recorder.exit_vector = 13;
  EXPECT_EQ(m.deliver_fault(Vector::PF, true, 0), Delivered::VmExit);
  EXPECT_EQ(m.recorder.asked, (Asked{"14", "13 during 14"}));
  EXPECT_FALSE(m.cpu.faulted());
}

TEST(Escalation, TripleFaultNotTakenShutsDown) {
  GuestMachine m;
  EXPECT_EQ(m.deliver_fault(Vector::DF, true, 0), Delivered::Shutdown);
  EXPECT_EQ(m.recorder.asked, (Asked{"8", "13 during 8", "triple"}));
}

TEST(Escalation, InjectedAndExternalEventsAreNotAskedAbout) {
  GuestMachine m;
  m.put64(kIdt + 13 * 8, gate(kCode0, kHandler, 0x8e));
  m.put64(kIdt + 0x30 * 8, gate(kCode0, kHandler, 0x8e));
  Event e;
  e.vector = 13;
  e.has_error = true;
  EXPECT_EQ(deliver_with_escalation(m.cpu, e, Origin::Injected), Delivered::Ok);
  e = Event{.vector = 0x30, .type = EventType::ExternalInterrupt};
  EXPECT_EQ(deliver_with_escalation(m.cpu, e), Delivered::Ok);
  EXPECT_TRUE(m.recorder.asked.empty());
}

TEST(Escalation, TaskGateExitKnowsTheEvent) {
  GuestMachine m;
  m.recorder.exit_on_task_switch = true;
  m.put64(kIdt + 14 * 8, gate(kOtherTssSelector, 0, 0x85));
  EXPECT_EQ(m.deliver_fault(Vector::PF, true, 2), Delivered::VmExit);
  EXPECT_EQ(m.recorder.task_detail, kOtherTssSelector | u64{3} << 16);
  EXPECT_EQ(m.recorder.task_during, 14);
  EXPECT_EQ(m.cpu.delivering, nullptr);
  EXPECT_EQ(m.selector(Seg::TR), kTssSelector) << "nothing was switched";
}

TEST(Escalation, EndlessAlignmentChecksEnd) {
  SegMachine m;
  m.protected_mode(3);
  m.put64(kIdt + 17 * 8, gate(kCode3, kHandler, 0xee));
  m.cpu.cr0 |= cr0::AM;
  m.cpu.set_flags(rflags::AC | rflags::Fixed1);
  m.cpu.r[RSP] = kStack3 - 1;
  const Delivered d = m.deliver_fault(Vector::AC, true, 0);
  EXPECT_TRUE(d == Delivered::Ok || d == Delivered::Shutdown);
}

}  // namespace
}  // namespace softvt::test
