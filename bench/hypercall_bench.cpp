// Round trips through the KVM-like layer: the guest's instruction, the VM exit, the layer's
// handler, the VM entry.
#include "bench/report.h"

namespace softvt::bench {
namespace {

void layer(benchmark::State& state, Accel accel, const char* model,
           uint64_t (*loop)(uint64_t, void*)) {
  if (!Harness::available(accel)) {
    state.SkipWithError("this build has no such accelerator");
    return;
  }
  constexpr u64 kRounds = 20'000;
  Harness harness(model, accel);
  Report report(state, harness);
  const auto* function = reinterpret_cast<const void*>(loop);
  for (auto _ : state) benchmark::DoNotOptimize(harness.call(function, kRounds));
  report.each("time_per_round", state.iterations() * kRounds);
}

BENCHMARK_CAPTURE(layer, vmcall, Accel::Vmx, "max-intel", bench_hypercall_vmcall)
    ->Name("layer-vmx/hypercall");
BENCHMARK_CAPTURE(layer, cpuid_vmx, Accel::Vmx, "max-intel", bench_cpuid)->Name("layer-vmx/cpuid");
BENCHMARK_CAPTURE(layer, vmmcall, Accel::Svm, "max-amd", bench_hypercall_vmmcall)
    ->Name("layer-svm/hypercall");
BENCHMARK_CAPTURE(layer, cpuid_svm, Accel::Svm, "max-amd", bench_cpuid)->Name("layer-svm/cpuid");

}  // namespace
}  // namespace softvt::bench
