#include "cli/status_line.h"

#include <cstdio>

namespace softvt::cli {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(200);
constexpr double kNanosPerSecond = 1e9;

}  // namespace

StatusLine::StatusLine() : last_(Clock::now()) {}

StatusLine::~StatusLine() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
}

void StatusLine::update(const Machine& machine) {
  const Clock::time_point now = Clock::now();
  if (now - last_ < kInterval) return;
  const double seconds = std::chrono::duration<double>(now - last_).count();
  const u64 instructions = machine.instructions();
  const double mips = static_cast<double>(instructions - last_instructions_) / seconds / 1e6;
  std::fprintf(stderr, "\r\033[Ksoftvt: %.3f s virtual, %.1f M instructions, %.0f MIPS%s",
               static_cast<double>(machine.nanos()) / kNanosPerSecond,
               static_cast<double>(instructions) / 1e6, mips,
               machine.idle() ? ", waiting for an interrupt" : "");
  last_ = now;
  last_instructions_ = instructions;
  shown_ = true;
}

}  // namespace softvt::cli
