// Ways of hypercalls as text for a terminal.
#pragma once
#include <functional>
#include <ostream>
#include <string>

#include "trace/path_groups.h"

namespace softvt::trace {

// "symbol+0x4", or empty.
using SymbolLookup = std::function<std::string(u64 address)>;

class PathText {
 public:
  PathText(std::ostream& out, SymbolLookup symbols) : out_(out), symbols_(std::move(symbols)) {}
  void print(const PathGroup& group);

 private:
  std::ostream& out_;
  SymbolLookup symbols_;
};

}  // namespace softvt::trace
