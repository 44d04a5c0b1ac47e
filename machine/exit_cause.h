// Why a run ended, and the exit status that tells it to the caller of the program.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "cpu/types.h"

namespace softvt {

enum class ExitCause : u8 {
  PowerOff,
  DebugExit,  // the value that was written makes the status
  BadInput,
  TripleFault,
  InstructionLimit,
  TimeLimit,
  GuestPanic,
  EntryFailed,
  InternalError,
  HaltedForever,
  Difference,
  Reset,  // seen outside only with no_reboot
  Interrupted,
};

struct ExitCauseRow {
  ExitCause cause;
  int status;
  std::string_view meaning;
};

std::span<const ExitCauseRow> exit_causes();
std::string_view exit_meaning(ExitCause cause);

struct MachineExit {
  ExitCause cause = ExitCause::PowerOff;
  u32 value = 0;            // DebugExit: what the guest wrote
  std::string detail = {};  // one line, may be empty

  int status() const;
  std::string text() const;  // meaning and detail
};

// Lines "status  meaning" for --help.
std::string exit_status_help();

}  // namespace softvt
