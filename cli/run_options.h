// The options of `softvt run`.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/subcommands.h"
#include "machine/machine.h"

namespace softvt::cli {

enum class SerialTo : u8 { Stdio, File, None };

struct RunOptions {
  std::string kernel, initrd, append, bios, format, serial_input;
  std::vector<std::string> modules;
  u64 memory = u64{512} << 20;
  u32 vcpus = 1;
  const CpuModel* model = nullptr;
  Accel accel = Accel::Bare;
  SerialTo serial = SerialTo::Stdio;
  std::string serial_file;
  std::optional<u16> exit_port = platform::kDebugExit;
  RunLimits limits;
  bool no_reboot = false;
  bool verbose = false;
};

// Done: help was printed. Error: one line in `error`.
ParseResult parse_run_options(const Arguments& arguments, RunOptions& options, std::string& error);

// Reads the files. False with one line in `error`.
bool build_config(const RunOptions& options, MachineConfig& config, std::string& error);

}  // namespace softvt::cli
