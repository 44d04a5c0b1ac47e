// The guest's serial console on the outside, and the user's wishes: a terminal in raw mode, files,
// signals. Only a terminal gives input whose time depends on the user.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "cli/run_options.h"
#include "cli/status_line.h"
#include "machine/scheduler.h"

namespace softvt::cli {

// SIGINT and SIGTERM end the run; a second one kills.
void catch_signals();

// Raw mode of the terminal on standard input for as long as it lives.
class RawTerminal {
 public:
  RawTerminal();
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  struct Saved;
  std::unique_ptr<Saved> saved_;
};

class Console : public HostSide {
 public:
  Console() = default;
  ~Console() override;
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // False with one line in `error`. Then `script` is what the guest is to be given.
  bool open(const RunOptions& options, std::string& script, std::string& error);
  void attach(Machine& machine);

  void put(u8 byte);
  void flush();
  // Puts the terminal back and clears the status line.
  void close();

  bool poll() override;
  bool wait_for_input() override;
  void pass_idle_time(u64 nanos) override;

 private:
  bool read_script(const RunOptions& options, std::string& script, std::string& error) const;
  void open_terminal();
  void read_terminal(int wait_ms);
  void take_key(u8 key);

  SerialTo to_ = SerialTo::None;
  int fd_ = -1;
  std::string pending_;
  bool line_ended_ = false;
  bool output_is_terminal_ = false;
  std::unique_ptr<RawTerminal> terminal_;
  std::unique_ptr<StatusLine> status_;
  Machine* machine_ = nullptr;
  bool escape_ = false;  // Ctrl-A was the last key
  bool quit_ = false;
  bool input_ended_ = false;
  unsigned polls_ = 0;
  u64 idle_nanos_ = 0;
};

}  // namespace softvt::cli
