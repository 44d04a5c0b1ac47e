// Runs every loop that needs no virtualisation, one after the other.
#include "bench.h"
#include "idt.h"
#include "loops.h"
#include "mix.h"
#include "paging.h"

static uint8_t buffer[kLoopBufferSize] __attribute__((aligned(4096)));

struct loop {
  const char* name;
  uint64_t (*run)(uint64_t iterations, void* argument);
  uint64_t iterations;
  void* argument;
};

static const struct loop loops[] = {
    {"alu", bench_alu, 10000000, buffer},
    {"branches", bench_branches, 8000000, buffer},
    {"fib", bench_fib, 31, buffer},
    {"memcpy8", bench_memcpy8, 2000, buffer},
    {"sieve", bench_sieve, 15, buffer},
    {"string", bench_string, 20000, buffer},
    {"sse-int", bench_sse_int, 5000000, buffer},
    {"sse-float", bench_sse_float, 3000000, buffer},
    {"mix", bench_mix, 300, buffer},
    {"tlb", bench_tlb, 3000000, TLB_WINDOW},
    {"int3", bench_int3, 300000, 0},
    {"ud", bench_ud, 300000, 0},
    {"pf", bench_pf, 300000, NOT_PRESENT},
};

static void clear_buffer(void) {
  uint64_t* p = (uint64_t*)buffer;
  for (unsigned i = 0; i < sizeof buffer / 8; ++i) p[i] = 0;
}

int guest_main(void) {
  bench_open_serial();
  install_exception_handlers();
  map_tlb_window();
  for (unsigned i = 0; i < sizeof loops / sizeof loops[0]; ++i) {
    const struct loop* l = &loops[i];
    clear_buffer();
    bench_start(l->name);
    const uint64_t check = l->run(l->iterations, l->argument);
    bench_end(l->name, l->iterations, check);
  }
  bench_power_off();
  return 0;
}
