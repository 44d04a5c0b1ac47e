// What the sample guests share: ports, the serial console, registers of the processor.
#pragma once
#include <stdint.h>

static inline void outb(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline uint8_t inb(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline uint64_t rdmsr(uint32_t index) {
  uint32_t low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
  return (uint64_t)high << 32 | low;
}
static inline void wrmsr(uint32_t index, uint64_t value) {
  __asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}
static inline void cpuid(uint32_t leaf, uint32_t out[4]) {
  __asm__ volatile("cpuid"
                   : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                   : "a"(leaf), "c"(0));
}
// "AuthenticAMD" or anything else.
static inline int is_amd(void) {
  uint32_t r[4];
  cpuid(0, r);
  return r[1] == 0x68747541;
}

// COM1. Written for a 16550 whose transmitter may be busy.
static inline void put_char(char c) {
  while ((inb(0x3fd) & 0x20) == 0) {
  }
  outb(0x3f8, (uint8_t)c);
}
static inline void put_string(const char* s) {
  for (; *s; ++s) put_char(*s);
}
static inline void put_hex(uint64_t v) {
  int shift = 60;
  put_string("0x");
  while (shift > 0 && (v >> shift & 0xf) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) put_char("0123456789abcdef"[v >> shift & 0xf]);
}
static inline void put_decimal(int64_t v) {
  char digits[21];
  int n = 0;
  uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
  if (v < 0) put_char('-');
  do digits[n++] = (char)('0' + u % 10);
  while ((u /= 10) != 0);
  while (n > 0) put_char(digits[--n]);
}
static inline void put_result(const char* name, int64_t value) {
  put_string(name);
  put_string(" = ");
  put_decimal(value);
  put_char('\n');
}

int guest_main(void);
void guest_exit(void) __attribute__((noreturn));
