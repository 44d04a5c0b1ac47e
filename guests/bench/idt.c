// SDM 3A 6.14.1 "64-Bit Mode IDT".
#include "idt.h"

#include "loops.h"

struct gate {
  uint16_t offset_low, selector;
  uint8_t ist, type;
  uint16_t offset_middle;
  uint32_t offset_high, reserved;
};
static struct gate idt[32] __attribute__((aligned(16)));

static void set_gate(unsigned vector, const uint8_t* handler) {
  const uint64_t offset = (uint64_t)(uintptr_t)handler;
  struct gate* g = &idt[vector];
  g->offset_low = (uint16_t)offset;
  g->selector = 0x08;
  g->ist = 0;
  g->type = 0x8e;  // present, DPL 0, 64-bit interrupt gate
  g->offset_middle = (uint16_t)(offset >> 16);
  g->offset_high = (uint32_t)(offset >> 32);
  g->reserved = 0;
}

void install_exception_handlers(void) {
  enum { BP = 3, UD = 6, PF = 14 };
  set_gate(BP, bench_int3_handler);
  set_gate(UD, bench_ud_handler);
  set_gate(PF, bench_pf_handler);
  const struct {
    uint16_t limit;
    uint64_t base;
  } __attribute__((packed)) pointer = {sizeof idt - 1, (uint64_t)(uintptr_t)idt};
  __asm__ volatile("lidt %0" : : "m"(pointer));
}
