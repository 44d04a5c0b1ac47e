// Loads that miss the TLB: 4-level paging alone, and with EPT or nested paging under it.
#include "bench/report.h"
#include "bench/virtual_machine.h"
#include "vmx/extension.h"

namespace softvt::bench {
namespace {

constexpr u64 kLoads = 100'000;

void tlb_miss(benchmark::State& state) {
  Harness harness;
  harness.map_window();
  Report report(state, harness);
  const auto* loop = reinterpret_cast<const void*>(bench_tlb);
  for (auto _ : state) benchmark::DoNotOptimize(harness.call(loop, kLoads, at::kWindow));
  report.each("time_per_load", state.iterations() * kLoads);
}
BENCHMARK(tlb_miss)->Name("tlb/4-level");

// Misses of the first level only: the window's first pages fit into the second one.
void tlb_refill(benchmark::State& state) {
  Harness harness;
  harness.map_window();
  Report report(state, harness);
  const auto* loop = reinterpret_cast<const void*>(bench_tlb_refill);
  for (auto _ : state) benchmark::DoNotOptimize(harness.call(loop, kLoads, at::kWindow));
  report.each("time_per_load", state.iterations() * kLoads);
}
BENCHMARK(tlb_refill)->Name("tlb/refill");

// The guest's function returns to an instruction that exits.
void end_guest_with(Harness& harness, const u8* exit) {
  harness.put64(at::kGuestStackTop - 8, Harness::address_of(exit));
}

void tlb_miss_ept(benchmark::State& state) {
  Harness harness("max-intel");
  harness.map_window();
  const u64 rip = Harness::address_of(reinterpret_cast<const void*>(bench_tlb));
  if (!prepare_vmx(harness, Paging::Nested, rip)) {
    state.SkipWithError("no VMX");
    return;
  }
  end_guest_with(harness, bench_guest_vmcall);
  Report report(state, harness);
  const auto* enter = reinterpret_cast<const void*>(bench_vmx_enter);
  Cpu& cpu = harness.cpu();
  for (auto _ : state) {
    cpu.vmx->vmwrite(cpu, vmx::Field::GUEST_RIP, rip);
    cpu.vmx->vmwrite(cpu, vmx::Field::GUEST_RSP, at::kGuestStackTop - 8);
    benchmark::DoNotOptimize(harness.call(enter, kLoads, at::kWindow));
  }
  report.each("time_per_load", state.iterations() * kLoads);
}
BENCHMARK(tlb_miss_ept)->Name("tlb/4-level-ept");

void tlb_miss_npt(benchmark::State& state) {
  Harness harness("max-amd");
  harness.map_window();
  const u64 rip = Harness::address_of(reinterpret_cast<const void*>(bench_tlb));
  if (!prepare_svm(harness, Paging::Nested, rip)) {
    state.SkipWithError("no SVM");
    return;
  }
  end_guest_with(harness, bench_guest_vmmcall);
  Report report(state, harness);
  const auto* enter = reinterpret_cast<const void*>(bench_svm_enter);
  for (auto _ : state) {
    harness.put64(at::kControlStructure + 0x578, rip);
    harness.put64(at::kControlStructure + 0x5d8, at::kGuestStackTop - 8);
    benchmark::DoNotOptimize(harness.call(enter, kLoads, at::kWindow, at::kControlStructure));
  }
  report.each("time_per_load", state.iterations() * kLoads);
}
BENCHMARK(tlb_miss_npt)->Name("tlb/4-level-npt");

}  // namespace
}  // namespace softvt::bench
