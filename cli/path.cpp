// softvt path: runs an image and tells the way of each hypercall.
#include <cstdio>
#include <iostream>
#include <optional>

#include "cli/path_bare.h"
#include "cli/path_options.h"
#include "cli/subcommands.h"
#include "kvm/machine_vcpu.h"
#include "trace/path_json.h"
#include "trace/path_text.h"

namespace softvt::cli {
namespace {

// The symbol that an address lies in: "name+0x4".
std::string find_symbol(const LoadedImage& image, u64 address) {
  const Symbol* best = nullptr;
  for (const Symbol& symbol : image.symbols) {
    if (symbol.address > address) break;
    if (symbol.size == 0 || address < symbol.address + symbol.size) best = &symbol;
  }
  if (best == nullptr) return {};
  char offset[24] = "";
  if (address != best->address) {
    std::snprintf(offset, sizeof offset, "+0x%llx",
                  static_cast<unsigned long long>(address - best->address));
  }
  return best->name + offset;
}

// Turns the bytes of the serial port into stations, a line each.
class ConsoleLines {
 public:
  explicit ConsoleLines(trace::PathSink& sink) : sink_(sink) {}
  void put(u8 byte, u64 now) {
    if (byte == '\r') return;
    if (byte != '\n') {
      line_ += static_cast<char>(byte);
      return;
    }
    flush(now);
  }
  void finish(u64 now) {
    if (!line_.empty()) flush(now);
  }

 private:
  void flush(u64 now) { sink_.station({now, 0, trace::Console{std::exchange(line_, {})}}); }
  trace::PathSink& sink_;
  std::string line_;
};

// Both renderers behind one call; the machine, whose symbols they need, comes later.
class Output {
 public:
  Output(const PathOptions& options, const Machine*& machine)
      : json_(options.format == PathFormat::Json),
        as_text_(std::cout, lookup(machine)),
        as_json_(std::cout, lookup(machine)) {}

  void begin(const PathOptions& options) {
    if (json_) {
      as_json_.begin(std::string(accel_name(options.run.accel)),
                     std::string(options.run.model->name), options.run.kernel);
    }
  }
  void print(const trace::PathGroup& group) {
    if (json_) {
      as_json_.print(group);
    } else {
      as_text_.print(group);
    }
  }
  void end(const MachineExit& exit, u64 hypercalls, u64 now) {
    if (json_) {
      as_json_.end(hypercalls, now, exit.text(), exit.status());
    } else {
      std::cout << "end: " << exit.text() << "; " << hypercalls
                << (hypercalls == 1 ? " hypercall, " : " hypercalls, ") << now
                << " ns of virtual time\n";
    }
    std::cout.flush();
  }

 private:
  static trace::SymbolLookup lookup(const Machine*& machine) {
    return [&machine](u64 address) {
      return machine != nullptr ? find_symbol(machine->image(), address) : std::string();
    };
  }
  bool json_;
  trace::PathText as_text_;
  trace::PathJson as_json_;
};

void attach(Machine& machine, Accel accel, trace::PathSink& sink) {
  if (accel == Accel::Bare) return observe_bare(machine, sink);
  if (auto* vcpu = dynamic_cast<kvm::MachineVcpu*>(&machine.vcpu(0))) vcpu->vm().sink = &sink;
}

int run_path(const PathOptions& options) {
  const Machine* running = nullptr;
  Output output(options, running);
  trace::PathGroups groups({options.all_exits, options.hypercall_limit},
                           [&output](const trace::PathGroup& group) { output.print(group); });
  ConsoleLines lines(groups);
  MachineConfig config;
  std::string error;
  if (!build_config(options.run, config, error)) return fail(error);
  config.console = [&](u8 byte) { lines.put(byte, running != nullptr ? running->nanos() : 0); };
  const std::unique_ptr<Machine> machine = Machine::create(std::move(config), error);
  if (machine == nullptr) return fail(error);
  running = machine.get();
  attach(*machine, options.run.accel, groups);
  output.begin(options);
  const MachineExit exit = machine->run(options.run.limits);
  lines.finish(machine->nanos());
  groups.finish();
  output.end(exit, groups.hypercalls(), machine->nanos());
  if (exit.cause == ExitCause::EntryFailed || exit.cause == ExitCause::InternalError) {
    std::fprintf(stderr, "softvt: %s\n", exit.text().c_str());
  }
  return exit.status();
}

}  // namespace

int tell_path(const Arguments& arguments) {
  PathOptions options;
  std::string error;
  switch (parse_path_options(arguments, options, error)) {
    case ParseResult::Done:
      return 0;
    case ParseResult::Error:
      return fail(error);
    case ParseResult::Run:
      break;
  }
  return run_path(options);
}

}  // namespace softvt::cli
