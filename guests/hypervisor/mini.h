// What the two small hypervisors share: the guest that they run and its hypercalls.
#pragma once
#include "guest.h"

struct registers {
  uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
};

enum { HC_PRINT = 1, HC_ADD = 2, HC_STOP = 3 };

// Serves one hypercall of the guest; 0 when the guest asked to stop.
static int serve_hypercall(struct registers* r) {
  switch (r->rax) {
    case HC_PRINT:
      put_string((const char*)r->rbx);
      r->rax = 0;
      return 1;
    case HC_ADD:
      r->rax = r->rbx + r->rcx;
      return 1;
    case HC_STOP:
      return 0;
    default:
      r->rax = (uint64_t)-1000;
      return 1;
  }
}

static int64_t guest_call(uint64_t nr, uint64_t a0, uint64_t a1);

// Runs in guest mode.
static void guest_body(void) {
  guest_call(HC_PRINT, (uint64_t)(uintptr_t) "hello from the guest\n", 0);
  uint64_t sum = 0;
  for (uint64_t i = 1; i <= 10; ++i) sum = (uint64_t)guest_call(HC_ADD, sum, i);
  guest_call(HC_PRINT, (uint64_t)(uintptr_t)(sum == 55 ? "sum is 55\n" : "sum is wrong\n"), 0);
  guest_call(HC_STOP, 0, 0);
  for (;;) {
  }
}
