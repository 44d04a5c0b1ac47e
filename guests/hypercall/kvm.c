// Hypercalls in KVM's convention, with none to four arguments.
#include "hypercall.h"

static struct {
  int64_t sec, nsec;
  uint64_t tsc;
  uint32_t flags, pad[9];
} pairing;

int guest_main(void) {
  amd = is_amd();
  put_string("softvt guest: hypercalls in KVM's convention\n");
  put_result("kvm_hypercall0(KVM_HC_VAPIC_POLL_IRQ)", kvm_hypercall0(KVM_HC_VAPIC_POLL_IRQ));
  put_result("kvm_hypercall1(KVM_HC_SCHED_YIELD, 0)", kvm_hypercall1(KVM_HC_SCHED_YIELD, 0));
  put_result("kvm_hypercall2(KVM_HC_KICK_CPU, 0, 0)", kvm_hypercall2(KVM_HC_KICK_CPU, 0, 0));
  put_result("kvm_hypercall2(KVM_HC_CLOCK_PAIRING, gpa, 0)",
             kvm_hypercall2(KVM_HC_CLOCK_PAIRING, (uint64_t)(uintptr_t)&pairing, 0));
  put_result("kvm_hypercall3(1000, 1, 2, 3)", kvm_hypercall3(1000, 1, 2, 3));
  put_result("kvm_hypercall4(1001, 1, 2, 3, 4)", kvm_hypercall4(1001, 1, 2, 3, 4));
  return 0;
}
