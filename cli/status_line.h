// One line on standard error that tells how far the run is.
#pragma once
#include <chrono>

#include "machine/machine.h"

namespace softvt::cli {

class StatusLine {
 public:
  StatusLine();
  ~StatusLine();  // clears it
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  // Writes at most five times a second.
  void update(const Machine& machine);

 private:
  using Clock = std::chrono::steady_clock;

  Clock::time_point last_;
  u64 last_instructions_ = 0;
  bool shown_ = false;
};

}  // namespace softvt::cli
