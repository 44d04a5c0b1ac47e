// The subcommands of softvt.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace softvt::cli {

using Arguments = std::vector<std::string>;

struct Subcommand {
  std::string_view name;
  std::string_view summary;
  int (*run)(const Arguments& arguments);  // without program and subcommand; the exit status
};

std::span<const Subcommand> subcommands();

int run_machine(const Arguments& arguments);
int tell_path(const Arguments& arguments);

// "softvt: MESSAGE" on standard error; gives the status of bad input.
int fail(const std::string& message);

}  // namespace softvt::cli
