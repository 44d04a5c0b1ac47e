#include "cli/path_options.h"

#include <boost/program_options.hpp>
#include <cstdio>
#include <sstream>

#include "cli/quantity.h"

namespace softvt::cli {
namespace {

namespace po = boost::program_options;

po::options_description make_description() {
  po::options_description all("options");
  const auto text = [] { return po::value<std::string>(); };
  auto add = all.add_options();
  add("help,h", "this text");
  add("accel", text()->value_name("NAME"),
      "vmx, svm: softvt's KVM-like layer is the hypervisor; bare: IMAGE is one itself [vmx]");
  add("format", text()->value_name("NAME"), "text or json [text]");
  add("cpu", text()->value_name("MODEL"),
      "CPU model, see run --cpu help [max-intel; max-amd with --accel svm]");
  add("memory,m", text()->value_name("SIZE"), "memory: 512M, 8G; MiB without a unit [512M]");
  add("append", text()->value_name("TEXT"), "command line of the guest");
  add("max-insns", text()->value_name("N"), "end after N instructions (k, M, G)");
  add("timeout", text()->value_name("TIME"), "end at that virtual time: 10s, 500ms");
  add("hypercall-limit", text()->value_name("N"), "tell the first N hypercalls only");
  add("all-exits", "tell VM exits that are no hypercalls too");
  return all;
}

void print_help(const po::options_description& description) {
  std::ostringstream options;
  options << description;
  std::printf(
      "usage: softvt path [options] IMAGE\n\n"
      "Runs IMAGE and tells the way of each of its hypercalls, station by station: the guest's\n"
      "instruction, the VM exit, the dispatch, the hypercall, the write-back, the VM entry. Lines\n"
      "of the guest's serial console stand between them as 'guest> ...'. Times are virtual: one\n"
      "nanosecond for each instruction that the guest executes; the layer itself takes "
      "none.\n\n%s\n"
      "exit status:\n%s",
      options.str().c_str(), exit_status_help().c_str());
}

std::optional<PathFormat> parse_format(const std::string& text) {
  if (text == "text") return PathFormat::Text;
  if (text == "json") return PathFormat::Json;
  return std::nullopt;
}

std::optional<Accel> parse_accel(const std::string& text) {
  const auto accel = accel_from_name(text);
  return accel == Accel::Kvm ? std::nullopt : accel;
}

std::string read_all(const po::variables_map& values, PathOptions& options) {
  Reader reader(values);
  RunOptions& run = options.run;
  run.accel = Accel::Vmx;
  reader.read("accel", parse_accel, run.accel, "vmx, svm or bare");
  run.model = find_model(run.accel == Accel::Svm ? "max-amd" : "max-intel");
  reader.read("cpu", parse_model, run.model, "a model of 'softvt run --cpu help'");
  reader.read("format", parse_format, options.format, "text or json");
  reader.read("memory", parse_memory, run.memory, "a size from 1M to 1T in steps of 4K");
  reader.read("max-insns", parse_count, run.limits.instructions, "a number");
  reader.read("timeout", parse_duration, run.limits.nanos, "a time like 10s or 500ms");
  reader.read("hypercall-limit", parse_count, options.hypercall_limit, "a number");
  options.all_exits = reader.has("all-exits");
  run.kernel = reader.text("image");
  run.append = reader.text("append");
  run.no_reboot = true;
  if (!reader.error().empty()) return reader.error();
  return run.kernel.empty() ? "no image: give IMAGE" : "";
}

}  // namespace

ParseResult parse_path_options(const Arguments& arguments, PathOptions& options,
                               std::string& error) {
  const po::options_description visible = make_description();
  po::variables_map values;
  if (!parse_command_line(arguments, visible, values, error)) return ParseResult::Error;
  if (values.count("help") != 0) {
    print_help(visible);
    return ParseResult::Done;
  }
  error = read_all(values, options);
  return error.empty() ? ParseResult::Run : ParseResult::Error;
}

}  // namespace softvt::cli
