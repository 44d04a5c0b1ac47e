// host_oracle_tests [--case 'TEXT'] [--cases N] [--seed N] [--only MNEMONIC] [--missing] [gtest
// flags]
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "tests/host_oracle/options.h"

namespace softvt::oracle {

Options& options() {
  static Options o;
  return o;
}

}  // namespace softvt::oracle

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  softvt::oracle::Options& o = softvt::oracle::options();
  if (const char* cases = std::getenv("SOFTVT_ORACLE_CASES"))
    o.cases = std::strtoull(cases, nullptr, 0);
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--missing") {
      o.list_missing = true;
      continue;
    }
    if (name == "--case") o.single_case = value;
    if (name == "--cases") o.cases = std::strtoull(value, nullptr, 0);
    if (name == "--seed") o.seed = std::strtoull(value, nullptr, 0);
    if (name == "--only") o.only = value;
    ++i;
  }
  return RUN_ALL_TESTS();
}
