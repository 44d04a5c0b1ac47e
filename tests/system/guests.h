// The built sample guests and the program that runs them.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"

namespace softvt::test {

// The folder is empty in a build without SOFTVT_GUESTS.
inline bool has_guests() { return std::string(SOFTVT_GUESTS_DIR) != ""; }

inline std::string guest_image(const std::string& name) {
  return (std::filesystem::path(SOFTVT_GUESTS_DIR) / (name + ".elf")).string();
}

inline ProcessResult run_softvt(std::vector<std::string> arguments,
                                const ProcessOptions& options = {}) {
  arguments.insert(arguments.begin(), SOFTVT_BINARY);
  return run_program(arguments, options);
}

// A guest that never ends must not hold up the tests.
inline const std::vector<std::string> kVirtualLimit{"--timeout", "10s"};

}  // namespace softvt::test
