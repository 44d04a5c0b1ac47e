// CPUID: the host's answer without what the layer keeps for itself, and the leaves of KVM.
#include <cstring>

#include "kvm/exit_handlers.h"
#include "kvm/vm.h"

namespace softvt::kvm {
namespace {

constexpr u32 kSignatureLeaf = 0x40000000, kFeatureLeaf = 0x40000001;

// Bits of leaf 40000001H:EAX that this layer stands by.
// Linux: Documentation/virt/kvm/x86/cpuid.rst.
constexpr u32 kNopIoDelay = 1u << 1, kPvUnhalt = 1u << 7, kPvSendIpi = 1u << 11,
              kPvSchedYield = 1u << 13;

CpuidResult signature() {
  CpuidResult r;
  r.eax = kFeatureLeaf;
  constexpr char kText[13] = "KVMKVMKVM\0\0\0";
  std::memcpy(&r.ebx, kText, 4);
  std::memcpy(&r.ecx, kText + 4, 4);
  std::memcpy(&r.edx, kText + 8, 4);
  return r;
}

CpuidResult features(Vcpu& vcpu) {
  CpuidResult r;
  r.eax = kNopIoDelay | kPvUnhalt | kPvSchedYield;
  if (vcpu.apic() != nullptr) r.eax |= kPvSendIpi;
  return r;
}

void set_bit(u32& word, unsigned bit, bool on) {
  word = on ? word | 1u << bit : word & ~(1u << bit);
}

// What depends on the guest's own state, or is not for the guest.
void adjust(Vcpu& vcpu, u32 leaf, u32 subleaf, CpuidResult& r) {
  const u64 guest_cr4 = vcpu.backend().get(GuestField::Cr4);
  switch (leaf) {
    case 1:
      set_bit(r.ecx, 3, false);  // MONITOR
      set_bit(r.ecx, 5, false);  // VMX
      set_bit(r.ecx, 27, (guest_cr4 & cr4::OSXSAVE) != 0);
      set_bit(r.ecx, 31, true);  // there is a hypervisor
      if (vcpu.apic() == nullptr || !vcpu.apic()->enabled()) set_bit(r.edx, 9, false);
      break;
    case 5:
      r = {};
      break;
    case 7:
      if (subleaf == 0) set_bit(r.ecx, 4, (guest_cr4 & cr4::PKE) != 0);
      break;
    case 0x80000001:
      set_bit(r.ecx, 2, false);  // SVM
      break;
    case 0x8000000a:
      r = {};
      break;
    default:
      break;
  }
}

}  // namespace

Handled handle_cpuid(Vcpu& vcpu, const Exit&) {
  const auto leaf = static_cast<u32>(vcpu.gpr(RAX));
  const auto subleaf = static_cast<u32>(vcpu.gpr(RCX));
  CpuidResult r;
  if (leaf == kSignatureLeaf) {
    r = signature();
  } else if (leaf == kFeatureLeaf) {
    r = features(vcpu);
  } else {
    r = vcpu.host().cpuid(leaf, subleaf);
    adjust(vcpu, leaf, subleaf, r);
  }
  vcpu.set_gpr(RAX, r.eax);
  vcpu.set_gpr(RBX, r.ebx);
  vcpu.set_gpr(RCX, r.ecx);
  vcpu.set_gpr(RDX, r.edx);
  vcpu.skip_instruction(2);
  return Handled::Resume;
}

}  // namespace softvt::kvm
