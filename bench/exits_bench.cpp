// VM entry, an instruction that exits, VM exit, and the few instructions of a hypervisor.
#include "bench/report.h"
#include "bench/virtual_machine.h"

namespace softvt::bench {
namespace {

constexpr u64 kExits = 20'000;

void vmx_exits(benchmark::State& state, const u8* guest, Paging paging) {
  Harness harness("max-intel");
  if (!prepare_vmx(harness, paging, Harness::address_of(guest))) {
    state.SkipWithError("no VMX");
    return;
  }
  Report report(state, harness);
  const auto* loop = reinterpret_cast<const void*>(bench_vmx_exits);
  for (auto _ : state) benchmark::DoNotOptimize(harness.call(loop, kExits));
  report.each("time_per_exit", state.iterations() * kExits);
}
BENCHMARK_CAPTURE(vmx_exits, vmcall, bench_guest_vmcall, Paging::Guest)->Name("vmx/vmcall");
BENCHMARK_CAPTURE(vmx_exits, cpuid, bench_guest_cpuid, Paging::Guest)->Name("vmx/cpuid");
BENCHMARK_CAPTURE(vmx_exits, vmcall_ept, bench_guest_vmcall, Paging::Nested)
    ->Name("vmx/vmcall-ept");

void svm_exits(benchmark::State& state, const u8* guest, u64 length, Paging paging) {
  Harness harness("max-amd");
  if (!prepare_svm(harness, paging, Harness::address_of(guest))) {
    state.SkipWithError("no SVM");
    return;
  }
  Report report(state, harness);
  const auto* loop = reinterpret_cast<const void*>(bench_svm_exits);
  for (auto _ : state) {
    benchmark::DoNotOptimize(harness.call(loop, kExits, at::kControlStructure, length));
  }
  report.each("time_per_exit", state.iterations() * kExits);
}
BENCHMARK_CAPTURE(svm_exits, vmmcall, bench_guest_vmmcall, 3, Paging::Guest)->Name("svm/vmmcall");
BENCHMARK_CAPTURE(svm_exits, cpuid, bench_guest_cpuid, 2, Paging::Guest)->Name("svm/cpuid");
BENCHMARK_CAPTURE(svm_exits, vmmcall_npt, bench_guest_vmmcall, 3, Paging::Nested)
    ->Name("svm/vmmcall-npt");

}  // namespace
}  // namespace softvt::bench
