#include "machine/exit_cause.h"

#include <gtest/gtest.h>

namespace softvt {
namespace {

int status_of(ExitCause cause, u32 value = 0) {
  return MachineExit{.cause = cause, .value = value}.status();
}

TEST(ExitCause, StatusByCause) {
  EXPECT_EQ(status_of(ExitCause::PowerOff), 0);
  EXPECT_EQ(status_of(ExitCause::BadInput), 2);
  EXPECT_EQ(status_of(ExitCause::TripleFault), 4);
  EXPECT_EQ(status_of(ExitCause::InstructionLimit), 6);
  EXPECT_EQ(status_of(ExitCause::TimeLimit), 6);
  EXPECT_EQ(status_of(ExitCause::GuestPanic), 8);
  EXPECT_EQ(status_of(ExitCause::EntryFailed), 10);
  EXPECT_EQ(status_of(ExitCause::InternalError), 12);
  EXPECT_EQ(status_of(ExitCause::HaltedForever), 14);
  EXPECT_EQ(status_of(ExitCause::Difference), 16);
}

TEST(ExitCause, DebugExitIsAlwaysOdd) {
  EXPECT_EQ(status_of(ExitCause::DebugExit, 0), 1);
  EXPECT_EQ(status_of(ExitCause::DebugExit, 0x10), 0x21);
  EXPECT_EQ(status_of(ExitCause::DebugExit, 0xffffffff), 0xff);
}

TEST(ExitCause, EveryCauseHasOneRow) {
  for (unsigned i = 0; i <= static_cast<unsigned>(ExitCause::Interrupted); ++i) {
    unsigned rows = 0;
    for (const ExitCauseRow& row : exit_causes()) rows += static_cast<unsigned>(row.cause) == i;
    EXPECT_EQ(rows, 1u) << i;
  }
}

}  // namespace
}  // namespace softvt
