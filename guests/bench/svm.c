// VM exits on SVM: one VMCB, a guest that exits at every other instruction. The guest shares the
// address space of the host, without nested paging. APM 2 15.4 "Enabling SVM".
#include "bench.h"
#include "loops.h"

enum { IA32_EFER = 0xc0000080, VM_CR = 0xc0010114, VM_HSAVE_PA = 0xc0010117 };

// Offsets in the VMCB, APM 2 appendix B.
enum {
  INTERCEPT_3 = 0x0c,
  INTERCEPT_4 = 0x10,
  GUEST_ASID = 0x58,
  SAVE_ES = 0x400,
  SAVE_CS = 0x410,
  SAVE_SS = 0x420,
  SAVE_DS = 0x430,
  SAVE_GDTR = 0x460,
  SAVE_EFER = 0x4d0,
  SAVE_CR4 = 0x548,
  SAVE_CR3 = 0x550,
  SAVE_CR0 = 0x558,
  SAVE_DR7 = 0x560,
  SAVE_DR6 = 0x568,
  SAVE_RFLAGS = 0x570,
  SAVE_RIP = 0x578,
  SAVE_RSP = 0x5d8,
  SAVE_G_PAT = 0x668,
};

static uint8_t host_save[4096] __attribute__((aligned(4096)));
static uint8_t vmcb[4096] __attribute__((aligned(4096)));
static uint8_t guest_stack[4096] __attribute__((aligned(16)));
extern uint8_t gdt[];

static volatile uint64_t* field(unsigned offset) { return (volatile uint64_t*)(vmcb + offset); }
static void set_segment(unsigned offset, uint16_t selector, uint16_t attributes) {
  *field(offset) = selector | (uint64_t)attributes << 16 | 0xffffffffull << 32;
  *field(offset + 8) = 0;
}

static void fill_vmcb(void) {
  uint64_t cr0, cr3, cr4;
  __asm__ volatile("mov %%cr0, %0; mov %%cr3, %1; mov %%cr4, %2" : "=r"(cr0), "=r"(cr3), "=r"(cr4));
  *(volatile uint32_t*)(vmcb + INTERCEPT_3) = 1u << 18;           // CPUID
  *(volatile uint32_t*)(vmcb + INTERCEPT_4) = 1u << 0 | 1u << 1;  // VMRUN, VMMCALL
  *(volatile uint32_t*)(vmcb + GUEST_ASID) = 1;
  set_segment(SAVE_ES, 0x10, 0xc93);
  set_segment(SAVE_CS, 0x08, 0xa9b);
  set_segment(SAVE_SS, 0x10, 0xc93);
  set_segment(SAVE_DS, 0x10, 0xc93);
  *field(SAVE_GDTR) = 0x47ull << 32;
  *field(SAVE_GDTR + 8) = (uint64_t)(uintptr_t)gdt;
  *field(SAVE_EFER) = rdmsr(IA32_EFER);
  *field(SAVE_CR0) = cr0;
  *field(SAVE_CR3) = cr3;
  *field(SAVE_CR4) = cr4;
  *field(SAVE_DR6) = 0xffff0ff0;
  *field(SAVE_DR7) = 0x400;
  *field(SAVE_RFLAGS) = 0x2;
  *field(SAVE_RSP) = (uint64_t)(uintptr_t)(guest_stack + sizeof guest_stack - 8);
  *field(SAVE_G_PAT) = 0x0007040600070406;
}

static int enable_svm(void) {
  uint32_t r[4];
  cpuid(0x80000000, r);
  if (r[0] < 0x80000001) return 0;
  cpuid(0x80000001, r);
  if ((r[2] & 1u << 2) == 0) return 0;
  if ((rdmsr(VM_CR) & 1u << 4) != 0) return 0;  // SVMDIS
  wrmsr(IA32_EFER, rdmsr(IA32_EFER) | 1u << 12);
  wrmsr(VM_HSAVE_PA, (uint64_t)(uintptr_t)host_save);
  return 1;
}

static void measure(const char* name, const uint8_t* guest, uint64_t length) {
  enum { kExits = 100000 };
  *field(SAVE_RIP) = (uint64_t)(uintptr_t)guest;
  bench_start(name);
  const uint64_t check = bench_svm_exits(kExits, vmcb, length);
  bench_end(name, kExits, check);
}

int guest_main(void) {
  bench_open_serial();
  if (enable_svm()) {
    fill_vmcb();
    measure("svm-vmmcall", bench_guest_vmmcall, 3);
    measure("svm-cpuid", bench_guest_cpuid, 2);
  } else {
    bench_skip("svm-vmmcall", "no SVM");
    bench_skip("svm-cpuid", "no SVM");
  }
  bench_power_off();
  return 0;
}
