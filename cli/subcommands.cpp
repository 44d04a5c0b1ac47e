#include "cli/subcommands.h"

#include <array>
#include <cstdio>

#include "machine/exit_cause.h"

namespace softvt::cli {
namespace {

constexpr std::array kSubcommands{
    Subcommand{"run", "runs a machine", run_machine},
    Subcommand{"path", "tells the way of each hypercall of a guest", tell_path},
};

}  // namespace

std::span<const Subcommand> subcommands() { return kSubcommands; }

int fail(const std::string& message) {
  std::fprintf(stderr, "softvt: %s\n", message.c_str());
  return MachineExit{.cause = ExitCause::BadInput}.status();
}

}  // namespace softvt::cli
