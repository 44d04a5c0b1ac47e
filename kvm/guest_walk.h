// The guest's own page tables, walked in software: what a hypervisor does when it must read the
// guest's instruction or write to the guest's memory on its behalf. SDM 3A chapter 4 "Paging".
#pragma once
#include "cpu/types.h"

namespace softvt::kvm {

class Vm;

struct GuestPaging {
  u64 cr0 = 0, cr3 = 0, cr4 = 0, efer = 0, rflags = 0;
};

struct GuestAccess {
  bool write = false, fetch = false, user = false;
};

struct GuestTranslation {
  bool ok = false;
  u64 gpa = 0;
  u32 error = 0;  // of the #PF if not ok
};

// Sets accessed and dirty bits as the processor does.
GuestTranslation translate(Vm& vm, const GuestPaging& paging, u64 linear,
                           const GuestAccess& access);

}  // namespace softvt::kvm
