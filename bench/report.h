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
    const auto retired = static_cast<double>(harness_.instructions() - before_);
    state_.counters["insns_per_s"] = benchmark::Counter(retired, benchmark::Counter::kIsRate);
    set_time("time_per_insn", retired);
  }

  // The time of one of `count` things that the whole run did.
  void each(const char* name, u64 count) { set_time(name, static_cast<double>(count)); }

 private:
  // In seconds; the console shows them with a prefix (2.1ns).
  void set_time(const char* name, double count) {
    using benchmark::Counter;
    state_.counters[name] = Counter(count, Counter::Flags(Counter::kIsRate | Counter::kInvert));
  }

  benchmark::State& state_;
  const Harness& harness_;
  u64 before_;
};

}  // namespace softvt::bench
