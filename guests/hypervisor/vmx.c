// A small hypervisor on VMX: VMXON, one VMCS, VMLAUNCH, and a loop that serves the hypercalls of
// its guest. The guest shares the host's address space, without EPT.
// SDM 3C 32.5 "VMM Setup & Tear Down", 32.6 "Preparation and Launching a Virtual Machine".
#include "mini.h"

enum {
  IA32_FEATURE_CONTROL = 0x3a,
  IA32_VMX_BASIC = 0x480,
  IA32_VMX_PINBASED_CTLS = 0x481,
  IA32_VMX_PROCBASED_CTLS = 0x482,
  IA32_VMX_EXIT_CTLS = 0x483,
  IA32_VMX_ENTRY_CTLS = 0x484,
  IA32_VMX_CR0_FIXED0 = 0x486,
  IA32_VMX_CR4_FIXED0 = 0x488,
  IA32_EFER = 0xc0000080,
};

// Encodings of VMCS fields, SDM 3D appendix B.
enum {
  GUEST_ES_SELECTOR = 0x800,
  HOST_ES_SELECTOR = 0xc00,
  VMCS_LINK_POINTER = 0x2800,
  GUEST_IA32_EFER = 0x2806,
  HOST_IA32_EFER = 0x2c02,
  PIN_BASED = 0x4000,
  PRIMARY = 0x4002,
  EXCEPTION_BITMAP = 0x4004,
  EXIT_CONTROLS = 0x400c,
  ENTRY_CONTROLS = 0x4012,
  INSTRUCTION_ERROR = 0x4400,
  EXIT_REASON = 0x4402,
  EXIT_INSTRUCTION_LENGTH = 0x440c,
  GUEST_ES_LIMIT = 0x4800,
  GUEST_GDTR_LIMIT = 0x4810,
  GUEST_IDTR_LIMIT = 0x4812,
  GUEST_ES_RIGHTS = 0x4814,
  GUEST_CR0 = 0x6800,
  GUEST_CR3 = 0x6802,
  GUEST_CR4 = 0x6804,
  GUEST_ES_BASE = 0x6806,
  GUEST_TR_BASE = 0x6814,
  GUEST_GDTR_BASE = 0x6816,
  GUEST_IDTR_BASE = 0x6818,
  GUEST_DR7 = 0x681a,
  GUEST_RSP = 0x681c,
  GUEST_RIP = 0x681e,
  GUEST_RFLAGS = 0x6820,
  HOST_CR0 = 0x6c00,
  HOST_CR3 = 0x6c02,
  HOST_CR4 = 0x6c04,
  HOST_TR_BASE = 0x6c0a,
  HOST_GDTR_BASE = 0x6c0c,
  HOST_IDTR_BASE = 0x6c0e,
  HOST_RIP = 0x6c16,
};
enum { ES, CS, SS, DS, FS, GS, LDTR, TR };
enum { EXIT_VMCALL = 18 };

static uint8_t vmxon_region[4096] __attribute__((aligned(4096)));
static uint8_t vmcs[4096] __attribute__((aligned(4096)));
static uint8_t guest_stack[4096] __attribute__((aligned(16)));
extern uint8_t tss[], gdt[];
uint64_t vmx_enter(struct registers* r, int launched);
void vmx_exit(void);

static int64_t guest_call(uint64_t nr, uint64_t a0, uint64_t a1) {
  int64_t result;
  __asm__ volatile("vmcall" : "=a"(result) : "a"(nr), "b"(a0), "c"(a1) : "memory");
  return result;
}

static void vmwrite(uint64_t field, uint64_t value) {
  uint8_t failed;
  __asm__ volatile("vmwrite %2, %1; setna %0" : "=qm"(failed) : "r"(field), "r"(value) : "cc");
  if (failed) {
    put_string("VMWRITE failed: ");
    put_hex(field);
    put_char('\n');
  }
}
static uint64_t vmread(uint64_t field) {
  uint64_t value = 0;
  __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
  return value;
}
static uint64_t read_cr(int n) {
  uint64_t v = 0;
  if (n == 0) __asm__ volatile("mov %%cr0, %0" : "=r"(v));
  if (n == 3) __asm__ volatile("mov %%cr3, %0" : "=r"(v));
  if (n == 4) __asm__ volatile("mov %%cr4, %0" : "=r"(v));
  return v;
}

// The bits that a capability MSR forces to 1, and of the wanted ones those that it allows.
static uint64_t controls(uint32_t msr, uint32_t wanted) {
  const uint64_t capability = rdmsr(msr);
  return (wanted | (uint32_t)capability) & (uint32_t)(capability >> 32);
}

static int enter_vmx_operation(void) {
  const uint64_t feature_control = rdmsr(IA32_FEATURE_CONTROL);
  if ((feature_control & 1) == 0) wrmsr(IA32_FEATURE_CONTROL, feature_control | 5);
  const uint64_t cr0 = read_cr(0) | rdmsr(IA32_VMX_CR0_FIXED0);
  const uint64_t cr4 = read_cr(4) | rdmsr(IA32_VMX_CR4_FIXED0);
  __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
  __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
  *(uint32_t*)vmxon_region = *(uint32_t*)vmcs = (uint32_t)rdmsr(IA32_VMX_BASIC) & 0x7fffffff;
  uint64_t address = (uint64_t)(uintptr_t)vmxon_region;
  uint8_t failed;
  __asm__ volatile("vmxon %1; setna %0" : "=qm"(failed) : "m"(address) : "cc", "memory");
  if (failed) return 0;
  address = (uint64_t)(uintptr_t)vmcs;
  __asm__ volatile("vmclear %1; setna %0" : "=qm"(failed) : "m"(address) : "cc", "memory");
  if (failed) return 0;
  __asm__ volatile("vmptrld %1; setna %0" : "=qm"(failed) : "m"(address) : "cc", "memory");
  return !failed;
}

static void set_segments(void) {
  static const uint16_t selectors[8] = {0x10, 0x08, 0x10, 0x10, 0x10, 0x10, 0, 0x38};
  static const uint32_t rights[8] = {0xc093, 0xa09b, 0xc093, 0xc093, 0xc093, 0xc093, 0x10000, 0x8b};
  for (int s = ES; s <= TR; ++s) {
    vmwrite(GUEST_ES_SELECTOR + 2 * s, selectors[s]);
    vmwrite(GUEST_ES_LIMIT + 2 * s, s == TR ? 0x67 : s == LDTR ? 0 : 0xffffffff);
    vmwrite(GUEST_ES_RIGHTS + 2 * s, rights[s]);
    vmwrite(GUEST_ES_BASE + 2 * s, s == TR ? (uint64_t)(uintptr_t)tss : 0);
  }
  for (int s = ES; s <= GS; ++s) vmwrite(HOST_ES_SELECTOR + 2 * s, s == CS ? 0x08 : 0x10);
  vmwrite(HOST_ES_SELECTOR + 12, 0x38);  // TR
}

static void fill_vmcs(void) {
  vmwrite(PIN_BASED, controls(IA32_VMX_PINBASED_CTLS, 0));
  vmwrite(PRIMARY, controls(IA32_VMX_PROCBASED_CTLS, 0));
  vmwrite(EXCEPTION_BITMAP, 0);
  vmwrite(EXIT_CONTROLS, controls(IA32_VMX_EXIT_CTLS, 1u << 9 | 1u << 21));    // 64-bit, load EFER
  vmwrite(ENTRY_CONTROLS, controls(IA32_VMX_ENTRY_CTLS, 1u << 9 | 1u << 15));  // the same
  vmwrite(VMCS_LINK_POINTER, ~0ull);
  set_segments();
  vmwrite(GUEST_CR0, read_cr(0));
  vmwrite(GUEST_CR3, read_cr(3));
  vmwrite(GUEST_CR4, read_cr(4));
  vmwrite(HOST_CR0, read_cr(0));
  vmwrite(HOST_CR3, read_cr(3));
  vmwrite(HOST_CR4, read_cr(4));
  vmwrite(GUEST_IA32_EFER, rdmsr(IA32_EFER));
  vmwrite(HOST_IA32_EFER, rdmsr(IA32_EFER));
  vmwrite(GUEST_GDTR_BASE, (uint64_t)(uintptr_t)gdt);
  vmwrite(GUEST_GDTR_LIMIT, 0x47);
  vmwrite(GUEST_IDTR_LIMIT, 0);
  vmwrite(HOST_GDTR_BASE, (uint64_t)(uintptr_t)gdt);
  vmwrite(HOST_TR_BASE, (uint64_t)(uintptr_t)tss);
  vmwrite(GUEST_DR7, 0x400);
  vmwrite(GUEST_RFLAGS, 0x2);
  vmwrite(GUEST_RSP, (uint64_t)(uintptr_t)(guest_stack + sizeof guest_stack - 8));
  vmwrite(GUEST_RIP, (uint64_t)(uintptr_t)guest_body);
  vmwrite(HOST_RIP, (uint64_t)(uintptr_t)vmx_exit);
}

int guest_main(void) {
  uint32_t r[4];
  cpuid(1, r);
  if ((r[2] & 1u << 5) == 0) {
    put_string("this processor has no VMX\n");
    return 1;
  }
  if (!enter_vmx_operation()) {
    put_string("VMXON failed\n");
    return 1;
  }
  fill_vmcs();
  put_string("VMXON done, VMCS filled\n");
  struct registers guest = {0};
  int exits = 0;
  for (int launched = 0;; launched = 1) {
    if (vmx_enter(&guest, launched) != 0) {
      put_result("VM-instruction error", (int64_t)vmread(INSTRUCTION_ERROR));
      return 1;
    }
    ++exits;
    const uint64_t reason = vmread(EXIT_REASON);
    if (reason != EXIT_VMCALL) {
      put_string("unexpected exit reason ");
      put_hex(reason);
      put_char('\n');
      return 1;
    }
    if (!serve_hypercall(&guest)) break;
    vmwrite(GUEST_RIP, vmread(GUEST_RIP) + vmread(EXIT_INSTRUCTION_LENGTH));
  }
  __asm__ volatile("vmxoff");
  put_result("VM exits", exits);
  return 0;
}
