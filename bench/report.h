// How the benchmarks report: guest instructions by time.
#pragma once
#include <benchmark/benchmark.h>

#include "bench/harness.h"

namespace softvt::bench {

// Counts the instructions that a guest retires during its life.
class Report {
 public:
  Report(benchmark::State& state, const Harness& harness)
      : state_(state), harness_(harness), before_(harness.instructions()) {}
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;
  ~Report() {
    using benchmark::Counter;
    const auto retired = static_cast<double>(harness_.instructions() - before_);
    state_.counters["MIPS"] = Counter(retired / 1e6, Counter::kIsRate);
    state_.counters["ns/insn"] =
        Counter(retired / 1e9, Counter::Flags(Counter::kIsRate | Counter::kInvert));
  }

  // The time of one of `count` things that the whole run did.
  void each(const char* name, u64 count) {
    using benchmark::Counter;
    state_.counters[name] = Counter(static_cast<double>(count) / 1e9,
                                    Counter::Flags(Counter::kIsRate | Counter::kInvert));
  }

 private:
  benchmark::State& state_;
  const Harness& harness_;
  u64 before_;
};

}  // namespace softvt::bench
