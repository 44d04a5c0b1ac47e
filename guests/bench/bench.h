// What the bench images share: the lines that a script on the host stamps, and the end.
#pragma once
#include "guest.h"

// 115200 baud, 8 bits: without it a 16550 sends 5 bits of each byte.
static inline void bench_open_serial(void) {
  outb(0x3fb, 0x80);  // divisor latch
  outb(0x3f8, 1);
  outb(0x3f9, 0);
  outb(0x3fb, 0x03);
}

// The script measures from the arrival of the start line to that of the end line, so nothing but
// the loop may stand between the two.
static inline void bench_start(const char* name) {
  put_string("BENCH ");
  put_string(name);
  put_string(" start\n");
}
static inline void bench_end(const char* name, uint64_t iterations, uint64_t check) {
  put_string("BENCH ");
  put_string(name);
  put_string(" end iterations=");
  put_decimal((int64_t)iterations);
  put_string(" check=");
  put_hex(check);
  put_char('\n');
}
static inline void bench_skip(const char* name, const char* reason) {
  put_string("BENCH ");
  put_string(name);
  put_string(" skipped: ");
  put_string(reason);
  put_char('\n');
}

static inline void outw(uint16_t port, uint16_t value) {
  __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

// Powers off by whatever the machine has: the ACPI control register, a debug-exit port, the
// shutdown port of Bochs.
static inline void bench_power_off(void) {
  put_string("BENCH done\n");
  outw(0x604, 0x2000);
  outb(0xf4, 0);
  for (const char* s = "Shutdown"; *s; ++s) outb(0x8900, (uint8_t)*s);
  for (;;) __asm__ volatile("cli; hlt");
}
