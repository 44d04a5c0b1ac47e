// What the subcommands share of reading their command lines.
#pragma once
#include <boost/program_options.hpp>
#include <optional>
#include <string>

#include "cli/subcommands.h"
#include "cpu/cpuid/model.h"
#include "cpu/types.h"

namespace softvt::cli {

enum class ParseResult : u8 { Run, Done, Error };

// Reads `arguments` by the options of `visible`, and one IMAGE. False: one line in `error`.
bool parse_command_line(const Arguments& arguments,
                        const boost::program_options::options_description& visible,
                        boost::program_options::variables_map& values, std::string& error);

// Turns texts of options into values; keeps the first complaint.
class Reader {
 public:
  explicit Reader(const boost::program_options::variables_map& values) : values_(values) {}

  const std::string& error() const { return error_; }
  bool has(const char* name) const { return values_.count(name) != 0; }
  std::string text(const char* name) const {
    return has(name) ? values_[name].as<std::string>() : std::string();
  }
  // `parse` gives an optional.
  template <class Parse, class T>
  void read(const char* name, Parse parse, T& to, const std::string& expected) {
    if (!has(name)) return;
    if (const auto value = parse(text(name))) {
      to = *value;
    } else {
      complain(name, expected);
    }
  }
  void complain(const char* name, const std::string& expected) {
    if (!error_.empty()) return;
    error_ = "--" + std::string(name) + ": expected " + expected + ", found '" + text(name) + "'";
  }
  void refuse(const char* name) {
    if (has(name) && error_.empty()) error_ = "--" + std::string(name) + " is not in this build";
  }

 private:
  const boost::program_options::variables_map& values_;
  std::string error_;
};

std::optional<u64> parse_memory(const std::string& text);
std::optional<const CpuModel*> parse_model(const std::string& text);

}  // namespace softvt::cli
