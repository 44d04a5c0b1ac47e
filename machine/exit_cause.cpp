#include "machine/exit_cause.h"

#include <array>
#include <cstdio>

namespace softvt {
namespace {

constexpr int kStatusFromValue = -1;

constexpr std::array kCauses{
    ExitCauseRow{ExitCause::PowerOff, 0, "the guest powered off"},
    ExitCauseRow{ExitCause::DebugExit, kStatusFromValue, "the guest wrote to the debug-exit port"},
    ExitCauseRow{ExitCause::BadInput, 2, "bad command line or image"},
    ExitCauseRow{ExitCause::TripleFault, 4, "triple fault"},
    ExitCauseRow{ExitCause::InstructionLimit, 6, "limit of instructions reached"},
    ExitCauseRow{ExitCause::TimeLimit, 6, "limit of virtual time reached"},
    ExitCauseRow{ExitCause::GuestPanic, 8, "the guest reported a panic"},
    ExitCauseRow{ExitCause::EntryFailed, 10, "VM entry failed in the KVM-like layer"},
    ExitCauseRow{ExitCause::InternalError, 12, "internal error"},
    ExitCauseRow{ExitCause::HaltedForever, 14, "every vcpu halted for ever"},
    ExitCauseRow{ExitCause::Difference, 16, "a comparison found a difference"},
    // Not 0: a guest that crashes into a reset must not look like one that is done.
    ExitCauseRow{ExitCause::Reset, 18, "the guest asked for a reset and --no-reboot was given"},
    ExitCauseRow{ExitCause::Interrupted, 130, "interrupted by the user"},
};

const ExitCauseRow& row_of(ExitCause cause) {
  for (const ExitCauseRow& row : kCauses) {
    if (row.cause == cause) return row;
  }
  return kCauses.front();
}

}  // namespace

std::span<const ExitCauseRow> exit_causes() { return kCauses; }

std::string_view exit_meaning(ExitCause cause) { return row_of(cause).meaning; }

int MachineExit::status() const {
  const int status = row_of(cause).status;
  // A process hands on eight bits of its status.
  return status == kStatusFromValue ? static_cast<int>((value << 1 | 1) & 0xff) : status;
}

std::string MachineExit::text() const {
  std::string text(exit_meaning(cause));
  if (cause == ExitCause::DebugExit) text += ": " + std::to_string(value);
  if (!detail.empty()) text += ": " + detail;
  return text;
}

std::string exit_status_help() {
  std::string help;
  for (const ExitCauseRow& row : kCauses) {
    char status[16];
    if (row.status == kStatusFromValue) {
      std::snprintf(status, sizeof status, "%s", "(v<<1)|1");
    } else {
      std::snprintf(status, sizeof status, "%d", row.status);
    }
    char line[128];
    std::snprintf(line, sizeof line, "  %8s  %.*s\n", status, static_cast<int>(row.meaning.size()),
                  row.meaning.data());
    help += line;
  }
  return help;
}

}  // namespace softvt
