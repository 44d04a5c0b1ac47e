// Machines that run a few bytes of real-mode code.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "machine/machine.h"

namespace softvt::test {

using Code = std::vector<u8>;

inline Code operator+(Code a, const Code& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// mov dx, port; mov al, value; out dx, al
inline Code out_byte(u16 port, u8 value) {
  return {0xba, static_cast<u8>(port), static_cast<u8>(port >> 8), 0xb0, value, 0xee};
}
// mov dx, port; mov ax, value; out dx, ax
inline Code out_word(u16 port, u16 value) {
  return {0xba, static_cast<u8>(port),  static_cast<u8>(port >> 8),
          0xb8, static_cast<u8>(value), static_cast<u8>(value >> 8),
          0xef};
}
inline Code print(const std::string& text) {
  Code code;
  for (const char c : text) code = std::move(code) + out_byte(0x3f8, static_cast<u8>(c));
  return code;
}
inline Code power_off() { return out_word(platform::kPm1Control, 0x2000); }
inline Code spin() { return {0xeb, 0xfe}; }
inline Code halt_with_interrupts_off() { return {0xfa, 0xf4, 0xeb, 0xfd}; }

struct Outcome {
  MachineExit exit;
  std::string output;
  u64 instructions = 0;
  u64 nanos = 0;
  unsigned resets = 0;

  bool operator==(const Outcome& other) const {
    return exit.cause == other.exit.cause && exit.value == other.exit.value &&
           output == other.output && instructions == other.instructions && nanos == other.nanos;
  }
};

struct RunSetup {
  u32 vcpus = 1;
  std::string input = {};
  bool no_reboot = false;
  u64 ram = u64{128} << 20;
  RunLimits limits = {.nanos = 50'000'000};
  std::string model = "max-intel";
  ImageFormat format = ImageFormat::Flat;
};

inline Outcome run_code(const Code& code, const RunSetup& setup = {}) {
  Outcome run;
  MachineConfig config;
  config.ram_size = setup.ram;
  config.vcpus = setup.vcpus;
  config.model = find_model(setup.model);
  config.image.kernel = {"test", code};
  config.image.format = setup.format;
  config.no_reboot = setup.no_reboot;
  config.console = [&run](u8 byte) { run.output.push_back(static_cast<char>(byte)); };
  config.console_script = setup.input;
  std::string error;
  const auto machine = Machine::create(std::move(config), error);
  EXPECT_NE(machine, nullptr) << error;
  if (machine == nullptr) return run;
  run.exit = machine->run(setup.limits);
  run.instructions = machine->instructions();
  run.nanos = machine->nanos();
  run.resets = machine->resets();
  return run;
}

}  // namespace softvt::test
