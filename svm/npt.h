// Nested paging: the walk from guest-physical to host-physical addresses.
// APM 2 15.25 "Nested Paging".
#pragma once
#include "cpu/cpu.h"

namespace softvt::svm {

// The paging mode of the host at VMRUN, which nested tables follow. APM 2 15.25.3.
enum class NestedFormat : u8 { Bits32, Pae, FourLevel, FiveLevel };

struct NestedPaging {
  bool enabled = false;
  NestedFormat format = NestedFormat::FourLevel;
  bool no_execute = false;    // host EFER.NXE
  bool report_fetch = false;  // page faults of the host's own have I set for fetches
  bool page_size = false;     // host CR4.PSE: 4 MiB pages of the 32-bit format
  u64 root = 0;               // nCR3
};

// Format and control bits from the host state in `cpu`.
NestedPaging nested_paging_of(const Cpu& cpu, u64 ncr3);

// EXITINFO1 of #VMEXIT(NPF). APM 2 15.25.6 "Nested versus Guest Page Faults, Fault Ordering".
namespace npf {
constexpr u64 Final = u64{1} << 32, TableWalk = u64{1} << 33;
}

// True: `out` is the translation, and accessed and dirty bits are set. False: `info1` is the error
// code; nothing was written.
bool nested_walk(Cpu& cpu, const NestedPaging& paging, u64 gpa, const GpaAccess& access,
                 SecondStage& out, u64& info1);

}  // namespace softvt::svm
