// The guest's MSRs: one row a range, with who answers.
#pragma once
#include <span>
#include <string_view>

#include "cpu/types.h"

namespace softvt::kvm {

class Vcpu;

struct GuestMsrRow {
  u32 first, last;
  std::string_view name;
  bool (*read)(Vcpu&, u32 index, u64& value);  // false: #GP
  bool (*write)(Vcpu&, u32 index, u64 value);
  bool passthrough = false;  // the guest may access the processor's own: no VM exit
};

std::span<const GuestMsrRow> guest_msr_rows();
const GuestMsrRow* find_guest_msr(u32 index);

}  // namespace softvt::kvm
