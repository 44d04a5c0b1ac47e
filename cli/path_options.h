// The options of `softvt path`.
#pragma once
#include <string>

#include "cli/run_options.h"

namespace softvt::cli {

enum class PathFormat : u8 { Text, Json };

struct PathOptions {
  RunOptions run;  // what is common with `softvt run`
  PathFormat format = PathFormat::Text;
  u64 hypercall_limit = ~u64{0};
  bool all_exits = false;
};

// Done: help was printed. Error: one line in `error`.
ParseResult parse_path_options(const Arguments& arguments, PathOptions& options,
                               std::string& error);

}  // namespace softvt::cli
