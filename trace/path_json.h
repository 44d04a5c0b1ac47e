// Ways of hypercalls as one JSON document. Numbers of the processor are strings like "0x1f", since
// JSON readers lose bits of large ones; times, counts and results of hypercalls are numbers.
#pragma once
#include <ostream>
#include <string>

#include "trace/path_groups.h"
#include "trace/path_text.h"

namespace softvt::trace {

class PathJson {
 public:
  PathJson(std::ostream& out, SymbolLookup symbols) : out_(out), symbols_(std::move(symbols)) {}

  void begin(const std::string& accel, const std::string& cpu, const std::string& image);
  void print(const PathGroup& group);
  // How the run ended.
  void end(u64 hypercalls, u64 time_ns, const std::string& cause, int status);

 private:
  std::ostream& out_;
  SymbolLookup symbols_;
  bool first_ = true;
};

}  // namespace softvt::trace
