// softvt: finds the subcommand.
#include <cstdio>

#include "cli/subcommands.h"
#include "machine/exit_cause.h"

namespace {

using softvt::cli::Subcommand;
using softvt::cli::subcommands;

void print_usage(std::FILE* to) {
  std::fprintf(to, "usage: softvt SUBCOMMAND [options]\n\n");
  for (const Subcommand& command : subcommands()) {
    std::fprintf(to, "  %-10.*s %.*s\n", static_cast<int>(command.name.size()), command.name.data(),
                 static_cast<int>(command.summary.size()), command.summary.data());
  }
  std::fprintf(to, "\n'softvt SUBCOMMAND --help' tells more. Exit status:\n%s",
               softvt::exit_status_help().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    print_usage(stderr);
    return softvt::cli::fail("no subcommand");
  }
  const std::string name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") {
    print_usage(stdout);
    return 0;
  }
  if (name == "--version") {
    std::puts("softvt " SOFTVT_VERSION);
    return 0;
  }
  for (const Subcommand& command : subcommands()) {
    if (command.name == name) return command.run({argv + 2, argv + argc});
  }
  return softvt::cli::fail("unknown subcommand '" + name + "' (softvt --help lists them)");
}
