// Runs cases on the host's processor, in a child process.
//
// The child never calls the code under test: it returns to it from a signal handler, with the
// registers of the case in the signal frame, and gets the registers back in the frame of the signal
// that the exception at its end raises. So every register can hold test data, RSP included.
#pragma once
#include <sys/types.h>

#include <span>
#include <string>

#include "tests/host_oracle/case.h"

namespace softvt::oracle {

class NativeRunner {
 public:
  static constexpr unsigned kBatch = 64;

  NativeRunner();
  ~NativeRunner();
  NativeRunner(const NativeRunner&) = delete;
  NativeRunner& operator=(const NativeRunner&) = delete;

  // Empty if it can run, else why not.
  const std::string& unavailable() const { return unavailable_; }
  // At most kBatch cases.
  void run(std::span<const Case> cases, std::span<Outcome> outcomes);
  // Children that died or hung in a case.
  unsigned restarts() const { return restarts_; }

  struct Shared;

 private:
  bool start_child();
  void stop_child();
  bool wait_for_child();

  Shared* shared_ = nullptr;
  int code_file_ = -1, data_file_ = -1;
  u8 *code_ = nullptr, *data_ = nullptr;  // writable views
  pid_t child_ = -1;
  int channel_ = -1;
  unsigned restarts_ = 0;
  std::string unavailable_;
};

}  // namespace softvt::oracle
