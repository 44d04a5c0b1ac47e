// A static C program for the Debian boot test: integers, floating point, x87, threads of control
// (fork, signals, pipes). Prints "softvt: NAME RESULT" lines that are the same on every processor.
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t collatz(uint64_t limit) {
  uint64_t steps = 0;
  for (uint64_t n = 1; n < limit; ++n) {
    for (uint64_t v = n; v != 1; ++steps) v = v % 2 ? 3 * v + 1 : v / 2;
  }
  return steps;
}

static double series(int terms) {
  double sum = 0;
  for (int i = 0; i < terms; ++i) sum += (i % 2 ? -1.0 : 1.0) / (2 * i + 1);
  return 4 * sum;
}

static long double x87_series(int terms) {
  long double sum = 0;
  for (int i = 1; i <= terms; ++i) sum += sqrtl((long double)i);
  return sum;
}

static int children(int count) {
  int fds[2], total = 0;
  if (pipe(fds) != 0) return -1;
  fflush(stdout);
  for (int i = 0; i < count; ++i) {
    if (fork() == 0) {
      int v = i * i;
      if (write(fds[1], &v, sizeof v) != sizeof v) _exit(1);
      _exit(0);
    }
  }
  for (int i = 0; i < count; ++i) {
    int v = 0;
    if (read(fds[0], &v, sizeof v) != sizeof v) return -1;
    total += v;
  }
  while (wait(NULL) > 0) {
  }
  return total;
}

static sigjmp_buf recover;
static void on_fault(int number) { siglongjmp(recover, number); }

static const char* faults(void) {
  signal(SIGSEGV, on_fault);
  signal(SIGFPE, on_fault);
  signal(SIGILL, on_fault);
  int seen = sigsetjmp(recover, 1);
  if (seen == 0) *(volatile int*)8 = 1;
  if (seen != SIGSEGV) return "no-segv";
  seen = sigsetjmp(recover, 1);
  if (seen == 0) {
    volatile int zero = 0, many = 1000;
    volatile int v = many / zero;
    (void)v;
  }
  if (seen != SIGFPE) return "no-fpe";
  seen = sigsetjmp(recover, 1);
  if (seen == 0) __asm__ volatile("ud2");
  return seen == SIGILL ? "caught" : "no-ill";
}

// Code that is written, run, changed in place and run again.
static int self_modifying(void) {
  unsigned char* code =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return -1;
  int sum = 0;
  for (int i = 0; i < 1000; ++i) {
    code[0] = 0xb8;  // mov eax, i; ret
    memcpy(code + 1, &i, 4);
    code[5] = 0xc3;
    sum += ((int (*)(void))code)();
  }
  return sum;
}

int main(void) {
  printf("softvt: collatz %lu\n", (unsigned long)collatz(30000));
  printf("softvt: series %.12f\n", series(1000000));
  printf("softvt: x87 %.12Lf\n", x87_series(100000));
  printf("softvt: sin %.15f %.15f %.15f\n", sin(1.0), exp(1.0), pow(2.0, 0.5));
  printf("softvt: fork %d\n", children(16));
  printf("softvt: signals %s\n", faults());
  printf("softvt: smc %d\n", self_modifying());
  return 0;
}
