#include "cli/run_options.h"

#include <boost/program_options.hpp>
#include <cstdio>
#include <iostream>
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
  add("kernel", text()->value_name("FILE"), "what to start; IMAGE alone means the same");
  add("format", text()->value_name("NAME"), ("its format: " + format_names()).c_str());
  add("initrd", text()->value_name("FILE"), "initial RAM disk, or first module");
  add("append", text()->value_name("TEXT"), "command line of the guest");
  add("module", po::value<std::vector<std::string>>()->value_name("'FILE [ARGS]'"),
      "multiboot or PVH module (may be repeated)");
  add("bios", text()->value_name("FILE"), "firmware, started at the reset vector");
  add("drive", text()->value_name("FILE"), "disk image (not in this build)");
  add("memory,m", text()->value_name("SIZE"), "memory: 512M, 8G; MiB without a unit [512M]");
  add("smp", text()->value_name("N"), "number of vcpus [1]");
  add("cpu", text()->value_name("MODEL"),
      "CPU model; 'help' lists them [max-intel; max-amd with --accel svm]");
  add("accel", text()->value_name("NAME"),
      ("who executes the guest: " + accel_names() + " [bare]").c_str());
  add("serial", text()->value_name("TO"), "guest's console: stdio, file:FILE, none [stdio]");
  add("serial-input", text()->value_name("FILE"),
      "give FILE to the console when the guest listens; - is standard input");
  add("trace", text()->value_name("WHAT[:FILE]"), "record events (not in this build)");
  add("max-insns", text()->value_name("N"), "end after N instructions (k, M, G)");
  add("timeout", text()->value_name("TIME"),
      "end at that virtual time: 10s, 500ms; seconds without a unit");
  add("exit-port", text()->value_name("PORT"), "debug-exit port, or none [0xf4]");
  add("no-reboot", "end the run when the guest resets the machine");
  add("verbose,v", "tell at the end what was done");
  return all;
}

void print_help(const po::options_description& description) {
  std::ostringstream options;
  options << description;
  std::printf(
      "usage: softvt run [options] [IMAGE]\n\n%s\n"
      "On a terminal Ctrl-A x quits and Ctrl-A Ctrl-A sends Ctrl-A. A pipe on standard input is\n"
      "read only with --serial-input -. A guest that resets the machine starts again.\n\n"
      "exit status:\n%s",
      options.str().c_str(), exit_status_help().c_str());
}

void print_models() {
  for (const CpuModel& model : cpu_models()) {
    std::printf("%-16.*s %.*s\n", static_cast<int>(model.name.size()), model.name.data(),
                static_cast<int>(model.brand.size()), model.brand.data());
  }
}

std::optional<u32> parse_vcpus(const std::string& text) {
  const auto count = parse_count(text);
  if (!count || *count == 0 || *count > kMaxVcpus) return std::nullopt;
  return static_cast<u32>(*count);
}

void read_serial(Reader& reader, RunOptions& options) {
  if (!reader.has("serial")) return;
  const std::string to = reader.text("serial");
  if (to == "stdio") {
    options.serial = SerialTo::Stdio;
  } else if (to == "none") {
    options.serial = SerialTo::None;
  } else if (to.starts_with("file:") && to.size() > 5) {
    options.serial = SerialTo::File;
    options.serial_file = to.substr(5);
  } else {
    reader.complain("serial", "stdio, file:FILE or none");
  }
}

void read_exit_port(Reader& reader, RunOptions& options) {
  if (reader.text("exit-port") == "none") {
    options.exit_port.reset();
  } else {
    reader.read("exit-port", parse_port, options.exit_port, "a port below 0x10000 or none");
  }
}

void read_image(Reader& reader, const po::variables_map& values, RunOptions& options) {
  options.kernel = reader.text(reader.has("kernel") ? "kernel" : "image");
  options.initrd = reader.text("initrd");
  options.append = reader.text("append");
  options.bios = reader.text("bios");
  options.format = reader.text("format");
  if (values.count("module") != 0) {
    options.modules = values["module"].as<std::vector<std::string>>();
  }
}

// What only makes sense together, or not together.
std::string find_contradiction(const Reader& reader, const RunOptions& options) {
  if (reader.has("kernel") && reader.has("image")) return "both --kernel and IMAGE are given";
  const bool firmware = !options.bios.empty();
  if (options.kernel.empty() && !firmware) return "no image: give IMAGE, --kernel or --bios";
  if (firmware && !options.kernel.empty()) return "--bios and an image cannot be given together";
  if (!options.format.empty() && !format_from_name(options.format)) {
    return "--format: expected one of " + format_names() + ", found '" + options.format + "'";
  }
  return {};
}

std::string read_all(const po::variables_map& values, RunOptions& options) {
  Reader reader(values);
  read_image(reader, values, options);
  reader.refuse("drive");
  reader.refuse("trace");
  reader.read("memory", parse_memory, options.memory, "a size from 1M to 1T in steps of 4K");
  reader.read("smp", parse_vcpus, options.vcpus, "1 to " + std::to_string(kMaxVcpus));
  reader.read("accel", accel_from_name, options.accel, "one of " + accel_names());
  options.model = find_model(options.accel == Accel::Svm ? "max-amd" : "max-intel");
  reader.read("cpu", parse_model, options.model, "a model of --cpu help");
  reader.read("max-insns", parse_count, options.limits.instructions, "a number");
  reader.read("timeout", parse_duration, options.limits.nanos, "a time like 10s or 500ms");
  read_serial(reader, options);
  read_exit_port(reader, options);
  options.serial_input = reader.text("serial-input");
  options.no_reboot = reader.has("no-reboot");
  options.verbose = reader.has("verbose");
  return reader.error().empty() ? find_contradiction(reader, options) : reader.error();
}

bool read_file(const std::string& path, ImageFile& to, std::string& error) {
  LoadResult<ImageFile> file = read_image_file(path);
  if (!file) {
    error = file.error().text();
    return false;
  }
  to = std::move(*file);
  return true;
}

bool read_module(const std::string& text, BootModule& module, std::string& error) {
  const size_t space = text.find(' ');
  if (space != std::string::npos) module.cmdline = text.substr(space + 1);
  return read_file(text.substr(0, space), module.file, error);
}

}  // namespace

ParseResult parse_run_options(const Arguments& arguments, RunOptions& options, std::string& error) {
  const po::options_description visible = make_description();
  po::variables_map values;
  if (!parse_command_line(arguments, visible, values, error)) return ParseResult::Error;
  if (values.count("help") != 0) {
    print_help(visible);
    return ParseResult::Done;
  }
  if (values.count("cpu") != 0 && values["cpu"].as<std::string>() == "help") {
    print_models();
    return ParseResult::Done;
  }
  error = read_all(values, options);
  return error.empty() ? ParseResult::Run : ParseResult::Error;
}

bool build_config(const RunOptions& options, MachineConfig& config, std::string& error) {
  config.ram_size = options.memory;
  config.vcpus = options.vcpus;
  config.model = options.model;
  config.accel = options.accel;
  config.exit_port = options.exit_port;
  config.no_reboot = options.no_reboot;
  if (!options.bios.empty() && !read_file(options.bios, config.bios.emplace(), error)) return false;
  if (options.kernel.empty()) return true;
  if (!read_file(options.kernel, config.image.kernel, error)) return false;
  config.image.cmdline = options.append;
  if (!options.format.empty()) config.image.format = format_from_name(options.format);
  if (!options.initrd.empty() && !read_file(options.initrd, config.image.initrd.emplace(), error)) {
    return false;
  }
  for (const std::string& text : options.modules) {
    if (!read_module(text, config.image.modules.emplace_back(), error)) return false;
  }
  return true;
}

}  // namespace softvt::cli
