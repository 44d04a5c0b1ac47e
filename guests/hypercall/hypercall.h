// Hypercalls in KVM's convention: number in RAX, arguments in RBX, RCX, RDX, RSI, result in RAX.
// VMCALL is Intel's instruction, VMMCALL AMD's.
#pragma once
#include "guest.h"

enum {
  KVM_HC_VAPIC_POLL_IRQ = 1,
  KVM_HC_KICK_CPU = 5,
  KVM_HC_CLOCK_PAIRING = 9,
  KVM_HC_SEND_IPI = 10,
  KVM_HC_SCHED_YIELD = 11,
};

// Both instructions stand in the writable part of the image, so that a hypervisor may patch them.
#define HYPERCALL(insn, nr, a0, a1, a2, a3)                                           \
  ({                                                                                  \
    int64_t result_;                                                                  \
    __asm__ volatile(insn                                                             \
                     : "=a"(result_)                                                  \
                     : "a"((uint64_t)(nr)), "b"((uint64_t)(a0)), "c"((uint64_t)(a1)), \
                       "d"((uint64_t)(a2)), "S"((uint64_t)(a3))                       \
                     : "memory");                                                     \
    result_;                                                                          \
  })

static int amd;  // set by guest_main

__attribute__((noinline)) static int64_t hypercall(uint64_t nr, uint64_t a0, uint64_t a1,
                                                   uint64_t a2, uint64_t a3) {
  if (amd) return HYPERCALL("vmmcall", nr, a0, a1, a2, a3);
  return HYPERCALL("vmcall", nr, a0, a1, a2, a3);
}
static inline int64_t kvm_hypercall0(uint64_t nr) { return hypercall(nr, 0, 0, 0, 0); }
static inline int64_t kvm_hypercall1(uint64_t nr, uint64_t a0) {
  return hypercall(nr, a0, 0, 0, 0);
}
static inline int64_t kvm_hypercall2(uint64_t nr, uint64_t a0, uint64_t a1) {
  return hypercall(nr, a0, a1, 0, 0);
}
static inline int64_t kvm_hypercall3(uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2) {
  return hypercall(nr, a0, a1, a2, 0);
}
static inline int64_t kvm_hypercall4(uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2,
                                     uint64_t a3) {
  return hypercall(nr, a0, a1, a2, a3);
}
