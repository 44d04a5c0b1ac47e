// Guests on VMX and SVM for the benchmarks: control structures that are filled from outside, with
// the state of the harness for guest and host.
#pragma once
#include "bench/harness.h"

namespace softvt::bench {

// Without and with EPT or nested paging. Nested also has a VPID, without which each VM entry and
// VM exit drops all translations.
enum class Paging : u8 { Guest, Nested };

// The current VMCS is ready but for what bench_vmx_exits sets itself. False: no VMX.
bool prepare_vmx(Harness& harness, Paging paging, u64 guest_rip);
// at::kControlStructure is ready.
bool prepare_svm(Harness& harness, Paging paging, u64 guest_rip);

}  // namespace softvt::bench
