// A small hypervisor on SVM: EFER.SVME, a host save area, one VMCB, VMRUN, and a loop that serves
// the hypercalls of its guest. The guest shares the host's address space, without nested paging.
// APM 2 15.4 "Enabling SVM", 15.5 "VMRUN Instruction".
#include "mini.h"

enum { IA32_EFER = 0xc0000080, VM_CR = 0xc0010114, VM_HSAVE_PA = 0xc0010117 };
enum { VMEXIT_VMMCALL = 0x81 };

// Offsets in the VMCB, APM 2 appendix B.
enum {
  INTERCEPT_4 = 0x10,
  GUEST_ASID = 0x58,
  EXITCODE = 0x70,
  SAVE_ES = 0x400,
  SAVE_CS = 0x410,
  SAVE_SS = 0x420,
  SAVE_DS = 0x430,
  SAVE_GDTR = 0x460,
  SAVE_IDTR = 0x480,
  SAVE_CPL = 0x4cb,
  SAVE_EFER = 0x4d0,
  SAVE_CR4 = 0x548,
  SAVE_CR3 = 0x550,
  SAVE_CR0 = 0x558,
  SAVE_DR7 = 0x560,
  SAVE_DR6 = 0x568,
  SAVE_RFLAGS = 0x570,
  SAVE_RIP = 0x578,
  SAVE_RSP = 0x5d8,
  SAVE_RAX = 0x5f8,
  SAVE_G_PAT = 0x668,
};

static uint8_t host_save[4096] __attribute__((aligned(4096)));
static uint8_t vmcb[4096] __attribute__((aligned(4096)));
static uint8_t guest_stack[4096] __attribute__((aligned(16)));
extern uint8_t gdt[];
void svm_enter(struct registers* r, uint64_t vmcb_address);

static int64_t guest_call(uint64_t nr, uint64_t a0, uint64_t a1) {
  int64_t result;
  __asm__ volatile("vmmcall" : "=a"(result) : "a"(nr), "b"(a0), "c"(a1) : "memory");
  return result;
}

static volatile uint64_t* field(unsigned offset) { return (volatile uint64_t*)(vmcb + offset); }
static uint64_t read_cr(int n) {
  uint64_t v = 0;
  if (n == 0) __asm__ volatile("mov %%cr0, %0" : "=r"(v));
  if (n == 3) __asm__ volatile("mov %%cr3, %0" : "=r"(v));
  if (n == 4) __asm__ volatile("mov %%cr4, %0" : "=r"(v));
  return v;
}

// Selector, attributes (as in the VMCB: bits 55:52 above 47:40 of the descriptor), limit, base.
static void set_segment(unsigned offset, uint16_t selector, uint16_t attributes) {
  *field(offset) = selector | (uint64_t)attributes << 16 | 0xffffffffull << 32;
  *field(offset + 8) = 0;
}

static void fill_vmcb(void) {
  *field(INTERCEPT_4) = 1u << 0 | 1u << 1;  // VMRUN, VMMCALL
  *(volatile uint32_t*)(vmcb + GUEST_ASID) = 1;
  set_segment(SAVE_ES, 0x10, 0xc93);
  set_segment(SAVE_CS, 0x08, 0xa9b);
  set_segment(SAVE_SS, 0x10, 0xc93);
  set_segment(SAVE_DS, 0x10, 0xc93);
  *field(SAVE_GDTR) = 0x47ull << 32;
  *field(SAVE_GDTR + 8) = (uint64_t)(uintptr_t)gdt;
  *field(SAVE_EFER) = rdmsr(IA32_EFER);
  *field(SAVE_CR0) = read_cr(0);
  *field(SAVE_CR3) = read_cr(3);
  *field(SAVE_CR4) = read_cr(4);
  *field(SAVE_DR6) = 0xffff0ff0;
  *field(SAVE_DR7) = 0x400;
  *field(SAVE_RFLAGS) = 0x2;
  *field(SAVE_RIP) = (uint64_t)(uintptr_t)guest_body;
  *field(SAVE_RSP) = (uint64_t)(uintptr_t)(guest_stack + sizeof guest_stack - 8);
  *field(SAVE_G_PAT) = 0x0007040600070406;
}

int guest_main(void) {
  uint32_t r[4];
  cpuid(0x80000001, r);
  if ((r[2] & 1u << 2) == 0) {
    put_string("this processor has no SVM\n");
    return 1;
  }
  if ((rdmsr(VM_CR) & 1u << 4) != 0) {
    put_string("SVM is disabled by VM_CR.SVMDIS\n");
    return 1;
  }
  wrmsr(IA32_EFER, rdmsr(IA32_EFER) | 1u << 12);
  wrmsr(VM_HSAVE_PA, (uint64_t)(uintptr_t)host_save);
  fill_vmcb();
  put_string("EFER.SVME set, VMCB filled\n");
  struct registers guest = {0};
  int exits = 0;
  for (;;) {
    *field(SAVE_RAX) = guest.rax;
    svm_enter(&guest, (uint64_t)(uintptr_t)vmcb);
    guest.rax = *field(SAVE_RAX);
    ++exits;
    if (*field(EXITCODE) != VMEXIT_VMMCALL) {
      put_string("unexpected exit code ");
      put_hex(*field(EXITCODE));
      put_char('\n');
      return 1;
    }
    if (!serve_hypercall(&guest)) break;
    *field(SAVE_RIP) += 3;  // VMMCALL
  }
  put_result("#VMEXITs", exits);
  return 0;
}
