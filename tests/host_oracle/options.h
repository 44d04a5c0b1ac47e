// What the command line and the environment ask of the test.
#pragma once
#include <string>

#include "cpu/types.h"

namespace softvt::oracle {

struct Options {
  u64 cases = 300'000;        // --cases, SOFTVT_ORACLE_CASES
  u64 seed = 1;               // --seed
  std::string only;           // --only: one mnemonic, as Zydis writes it
  std::string single_case;    // --case
  bool list_missing = false;  // --missing: mnemonics that softvt does not execute
};
Options& options();

}  // namespace softvt::oracle
