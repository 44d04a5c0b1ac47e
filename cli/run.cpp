// softvt run: builds a machine, runs it, tells how it ended.
#include <cstdio>

#include "cli/console.h"
#include "cli/run_options.h"
#include "cli/subcommands.h"

namespace softvt::cli {
namespace {

void print_vcpu(const Vcpu& vcpu, size_t index) {
  const VcpuRegisters r = vcpu.registers();
  std::fprintf(stderr,
               "softvt: vcpu %zu: cs:rip %04x:%016llx rsp %016llx rflags %08llx cr0 %08llx "
               "cr2 %016llx cr3 %016llx cr4 %08llx efer %04llx\n",
               index, r.cs, static_cast<unsigned long long>(r.rip),
               static_cast<unsigned long long>(r.general[4]),
               static_cast<unsigned long long>(r.rflags), static_cast<unsigned long long>(r.cr0),
               static_cast<unsigned long long>(r.cr2), static_cast<unsigned long long>(r.cr3),
               static_cast<unsigned long long>(r.cr4), static_cast<unsigned long long>(r.efer));
}

// Ends that the guest chose need no words.
bool is_expected(ExitCause cause) {
  return cause == ExitCause::PowerOff || cause == ExitCause::DebugExit ||
         cause == ExitCause::Interrupted;
}

void report(Machine& machine, const MachineExit& exit, bool verbose) {
  if (!is_expected(exit.cause) || verbose) {
    std::fprintf(stderr, "softvt: %s\n", exit.text().c_str());
  }
  if (!is_expected(exit.cause) && exit.cause != ExitCause::Reset) {
    for (size_t i = 0; i < machine.vcpu_count(); ++i) print_vcpu(machine.vcpu(i), i);
  }
  if (verbose) {
    std::fprintf(stderr, "softvt: %llu instructions, %.6f s of virtual time, %u resets\n",
                 static_cast<unsigned long long>(machine.instructions()),
                 static_cast<double>(machine.nanos()) / 1e9, machine.resets());
  }
}

}  // namespace

int run_machine(const Arguments& arguments) {
  RunOptions options;
  std::string error;
  switch (parse_run_options(arguments, options, error)) {
    case ParseResult::Done:
      return 0;
    case ParseResult::Error:
      return fail(error);
    case ParseResult::Run:
      break;
  }
  MachineConfig config;
  Console console;
  catch_signals();
  if (!build_config(options, config, error) ||
      !console.open(options, config.console_script, error)) {
    return fail(error);
  }
  config.console = [&console](u8 byte) { console.put(byte); };
  const std::unique_ptr<Machine> machine = Machine::create(std::move(config), error);
  if (machine == nullptr) return fail(error);
  console.attach(*machine);
  const MachineExit exit = machine->run(options.limits, &console);
  console.close();
  report(*machine, exit, options.verbose);
  return exit.status();
}

}  // namespace softvt::cli
