// The loops that are measured. Assembly, so that every compiler and every emulator gets the same
// instructions, and so that bench/ can copy them into a processor without any machine around it:
// the code from bench_loops_begin to bench_loops_end is position independent and calls nothing
// outside. Each returns its check value.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t bench_loops_begin[], bench_loops_end[];

// `buffer`: kLoopBufferSize bytes, zeroed, 64-byte aligned.
enum { kLoopBufferSize = 1 << 20 };

uint64_t bench_alu(uint64_t iterations, void* buffer);        // 10 instructions an iteration
uint64_t bench_branches(uint64_t iterations, void* buffer);   // about 12
uint64_t bench_fib(uint64_t n, void* buffer);                 // recursive calls
uint64_t bench_memcpy8(uint64_t iterations, void* buffer);    // 64 KiB by 8-byte moves
uint64_t bench_sieve(uint64_t iterations, void* buffer);      // primes below 512 Ki
uint64_t bench_string(uint64_t iterations, void* buffer);     // REP MOVSB/STOSQ, long and short
uint64_t bench_sse_int(uint64_t iterations, void* buffer);    // packed integers
uint64_t bench_sse_float(uint64_t iterations, void* buffer);  // packed and scalar floating point

// One load a page, in steps of 7 pages, over 64 MiB from `base`.
enum { kTlbPages = 16384 };
uint64_t bench_tlb(uint64_t iterations, void* base);
// The same over the first 8 MiB.
uint64_t bench_tlb_refill(uint64_t iterations, void* base);

// Round trips through an interrupt gate. The gates must lead to the handlers below.
uint64_t bench_int3(uint64_t iterations, void* unused);
uint64_t bench_ud(uint64_t iterations, void* unused);
uint64_t bench_pf(uint64_t iterations, void* not_present);
extern const uint8_t bench_int3_handler[], bench_ud_handler[], bench_pf_handler[];

// VM entry, one instruction of the guest that exits, and the way back. The current VMCS must be
// complete but for host RSP and RIP. Returns the sum of the exit reasons.
uint64_t bench_vmx_exits(uint64_t iterations, void* unused);
// The same with VMRUN; `length` of the instruction that exits. Returns the sum of the exit codes.
uint64_t bench_svm_exits(uint64_t iterations, void* vmcb, uint64_t length);
// One VM entry; registers but RAX (and RDX: the VMCB) are passed on to the guest.
void bench_vmx_enter(uint64_t a, void* b);
void bench_svm_enter(uint64_t a, void* b, void* vmcb);
// For a guest of the KVM-like layer: a hypercall that does nothing (KVM_HC_VAPIC_POLL_IRQ), CPUID.
uint64_t bench_hypercall_vmcall(uint64_t iterations, void* unused);
uint64_t bench_hypercall_vmmcall(uint64_t iterations, void* unused);
uint64_t bench_cpuid(uint64_t iterations, void* unused);

// Entry points of the guests: instructions that exit, in a loop.
extern const uint8_t bench_guest_vmcall[], bench_guest_vmmcall[], bench_guest_cpuid[];

#ifdef __cplusplus
}
#endif
