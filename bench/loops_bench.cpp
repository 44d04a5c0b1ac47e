// The hot loops: what an instruction costs once it is decoded and its pages are in the TLB.
#include "bench/report.h"

namespace softvt::bench {
namespace {

using Loop = u64 (*)(u64 iterations, void* buffer);

void run_loop(benchmark::State& state, Loop loop, u64 iterations) {
  Harness harness;
  harness.clear_buffer();
  const auto* function = reinterpret_cast<const void*>(loop);
  harness.call(function, iterations / 100 + 2, at::kBuffer);
  Report report(state, harness);
  for (auto _ : state) {
    benchmark::DoNotOptimize(harness.call(function, iterations, at::kBuffer));
  }
}

BENCHMARK_CAPTURE(run_loop, alu, bench_alu, 1'000'000)->Name("loop/alu");
BENCHMARK_CAPTURE(run_loop, branches, bench_branches, 1'000'000)->Name("loop/branches");
BENCHMARK_CAPTURE(run_loop, fib, bench_fib, 25)->Name("loop/fib");
BENCHMARK_CAPTURE(run_loop, memcpy8, bench_memcpy8, 200)->Name("loop/memcpy8");
BENCHMARK_CAPTURE(run_loop, sieve, bench_sieve, 2)->Name("loop/sieve");
BENCHMARK_CAPTURE(run_loop, string, bench_string, 5'000)->Name("loop/string");
BENCHMARK_CAPTURE(run_loop, sse_int, bench_sse_int, 500'000)->Name("loop/sse-int");
BENCHMARK_CAPTURE(run_loop, sse_float, bench_sse_float, 300'000)->Name("loop/sse-float");

void exceptions(benchmark::State& state, Loop loop, u64 argument) {
  constexpr u64 kRounds = 100'000;
  Harness harness;
  Report report(state, harness);
  const auto* function = reinterpret_cast<const void*>(loop);
  for (auto _ : state) benchmark::DoNotOptimize(harness.call(function, kRounds, argument));
  report.each("time_per_round", state.iterations() * kRounds);
}

BENCHMARK_CAPTURE(exceptions, int3, bench_int3, 0)->Name("exception/int3");
BENCHMARK_CAPTURE(exceptions, ud, bench_ud, 0)->Name("exception/ud");
BENCHMARK_CAPTURE(exceptions, pf, bench_pf, at::kNotPresent)->Name("exception/pf");

}  // namespace
}  // namespace softvt::bench
