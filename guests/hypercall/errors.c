// Every error of a hypercall: unknown number, CPL 3, 32-bit code with upper halves set, and the
// other vendor's instruction.
#include "hypercall.h"

int64_t call_at_cpl3(uint64_t nr);                // user.S: from 64-bit user code
int64_t call_in_32bit(uint64_t nr, uint64_t a0);  // user.S: from 32-bit code, upper halves kept

int guest_main(void) {
  amd = is_amd();
  put_string("softvt guest: hypercalls that go wrong\n");
  put_result("unknown number (-KVM_ENOSYS is -1000)", kvm_hypercall0(0x7fffffff));
  put_result("at CPL 3 (-KVM_EPERM is -1)", call_at_cpl3(KVM_HC_VAPIC_POLL_IRQ));
  // 0xffffffff00000001 is KVM_HC_VAPIC_POLL_IRQ once it is cut to 32 bits, and unknown if not.
  put_result("32-bit code, upper half of RAX set",
             (int32_t)call_in_32bit(0xffffffff00000001, 0xaaaaaaaa00000000));
  put_result("64-bit code, upper half of RAX set", kvm_hypercall0(0xffffffff00000001));
  if (amd) {
    put_result("VMCALL on AMD", HYPERCALL("vmcall", KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0));
  } else {
    put_result("VMMCALL on Intel", HYPERCALL("vmmcall", KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0));
  }
  return 0;
}
