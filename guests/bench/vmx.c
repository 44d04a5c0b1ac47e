// VM exits on VMX: one VMCS, a guest that exits at every other instruction. The guest shares the
// address space of the host, without EPT. SDM 3C 32.6 "Preparation and Launching a Virtual
// Machine".
#include "bench.h"
#include "loops.h"

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

static uint8_t vmxon_region[4096] __attribute__((aligned(4096)));
static uint8_t vmcs[4096] __attribute__((aligned(4096)));
static uint8_t guest_stack[4096] __attribute__((aligned(16)));
extern uint8_t tss[], gdt[];

static uint64_t address_of(const void* p) { return (uint64_t)(uintptr_t)p; }

static int vmwrite(uint64_t field, uint64_t value) {
  uint8_t failed;
  __asm__ volatile("vmwrite %2, %1; setna %0" : "=qm"(failed) : "r"(field), "r"(value) : "cc");
  return !failed;
}

// The bits that a capability MSR forces to 1, and of the wanted ones those that it allows.
static uint64_t controls(uint32_t msr, uint32_t wanted) {
  const uint64_t capability = rdmsr(msr);
  return (wanted | (uint32_t)capability) & (uint32_t)(capability >> 32);
}

static int enter_vmx_operation(void) {
  uint32_t r[4];
  cpuid(1, r);
  if ((r[2] & 1u << 5) == 0) return 0;
  const uint64_t feature_control = rdmsr(IA32_FEATURE_CONTROL);
  if ((feature_control & 1) == 0) wrmsr(IA32_FEATURE_CONTROL, feature_control | 5);
  uint64_t cr0, cr4;
  __asm__ volatile("mov %%cr0, %0; mov %%cr4, %1" : "=r"(cr0), "=r"(cr4));
  __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | rdmsr(IA32_VMX_CR0_FIXED0)));
  __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | rdmsr(IA32_VMX_CR4_FIXED0)));
  *(uint32_t*)vmxon_region = *(uint32_t*)vmcs = (uint32_t)rdmsr(IA32_VMX_BASIC) & 0x7fffffff;
  uint64_t address = address_of(vmxon_region);
  uint8_t failed;
  __asm__ volatile("vmxon %1; setna %0" : "=qm"(failed) : "m"(address) : "cc", "memory");
  if (failed) return 0;
  address = address_of(vmcs);
  __asm__ volatile("vmclear %1; setna %0" : "=qm"(failed) : "m"(address) : "cc", "memory");
  if (failed) return 0;
  __asm__ volatile("vmptrld %1; setna %0" : "=qm"(failed) : "m"(address) : "cc", "memory");
  return !failed;
}

struct field_value {
  uint32_t field;
  uint64_t value;
};
struct segment {
  uint16_t selector;
  uint32_t limit, rights;
  const void* base;
};

// The fields of one segment register follow each other in steps of 2 from ES to TR.
static int fill_segments(void) {
  enum { ES_SELECTOR = 0x800, ES_LIMIT = 0x4800, ES_RIGHTS = 0x4814, ES_BASE = 0x6806 };
  const struct segment data = {0x10, ~0u, 0xc093, 0}, code = {0x08, ~0u, 0xa09b, 0};
  const struct segment ldtr = {0, 0, 0x10000, 0}, tr = {0x38, 0x67, 0x8b, tss};
  const struct segment* segments[8] = {&data, &code, &data, &data, &data, &data, &ldtr, &tr};
  int ok = 1;
  for (unsigned i = 0; i < 8; ++i) {
    ok &= vmwrite(ES_SELECTOR + 2 * i, segments[i]->selector);
    ok &= vmwrite(ES_LIMIT + 2 * i, segments[i]->limit);
    ok &= vmwrite(ES_RIGHTS + 2 * i, segments[i]->rights);
    ok &= vmwrite(ES_BASE + 2 * i, address_of(segments[i]->base));
  }
  return ok;
}

// Encodings of VMCS fields: SDM 3D appendix B.
static int fill_vmcs(void) {
  uint64_t cr0, cr3, cr4;
  __asm__ volatile("mov %%cr0, %0; mov %%cr3, %1; mov %%cr4, %2" : "=r"(cr0), "=r"(cr3), "=r"(cr4));
  const uint64_t efer = rdmsr(IA32_EFER);
  const struct field_value rows[] = {
      {0x4000, controls(IA32_VMX_PINBASED_CTLS, 0)},
      {0x4002, controls(IA32_VMX_PROCBASED_CTLS, 0)},
      {0x4004, 0},                                                            // exception bitmap
      {0x400c, controls(IA32_VMX_EXIT_CTLS, 1u << 9 | 1u << 20 | 1u << 21)},  // 64-bit host, EFER
      {0x4012, controls(IA32_VMX_ENTRY_CTLS, 1u << 9 | 1u << 15)},            // the same
      {0x2800, ~0ull},                                                        // VMCS link pointer
      {0x2806, efer},                                                         // guest
      {0x6800, cr0},
      {0x6802, cr3},
      {0x6804, cr4},
      {0x6816, address_of(gdt)},
      {0x4810, 0x47},
      {0x6818, 0},  // IDTR
      {0x4812, 0},
      {0x681a, 0x400},  // DR7
      {0x6820, 0x2},    // RFLAGS
      {0x681c, address_of(guest_stack + sizeof guest_stack - 8)},
      {0x2c02, efer},  // host
      {0x6c00, cr0},
      {0x6c02, cr3},
      {0x6c04, cr4},
      {0x0c00, 0x10},  // ES, CS, SS, DS, FS, GS, TR
      {0x0c02, 0x08},
      {0x0c04, 0x10},
      {0x0c06, 0x10},
      {0x0c08, 0x10},
      {0x0c0a, 0x10},
      {0x0c0c, 0x38},
      {0x6c0a, address_of(tss)},
      {0x6c0c, address_of(gdt)},
      {0x6c0e, 0},  // IDTR
  };
  int ok = fill_segments();
  for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    ok &= vmwrite(rows[i].field, rows[i].value);
  }
  return ok;
}

static void measure(const char* name, const uint8_t* guest) {
  enum { kExits = 100000, GUEST_RIP = 0x681e };
  vmwrite(GUEST_RIP, address_of(guest));
  bench_start(name);
  const uint64_t check = bench_vmx_exits(kExits, 0);
  bench_end(name, kExits, check);
}

// Without a VPID each VM entry and VM exit drops all translations.
static int use_vpid(void) {
  enum { IA32_VMX_PROCBASED_CTLS2 = 0x48b, PRIMARY = 0x4002, SECONDARY = 0x401e, VPID = 0 };
  const uint64_t primary = controls(IA32_VMX_PROCBASED_CTLS, 1u << 31);
  if ((primary & 1u << 31) == 0) return 0;
  const uint64_t secondary = controls(IA32_VMX_PROCBASED_CTLS2, 1u << 5);
  if ((secondary & 1u << 5) == 0) return 0;
  return vmwrite(PRIMARY, primary) && vmwrite(SECONDARY, secondary) && vmwrite(VPID, 1);
}

int guest_main(void) {
  bench_open_serial();
  const int ready = enter_vmx_operation() && fill_vmcs();
  if (ready) {
    measure("vmx-vmcall", bench_guest_vmcall);
    measure("vmx-cpuid", bench_guest_cpuid);
    if (use_vpid())
      measure("vmx-vpid", bench_guest_vmcall);
    else
      bench_skip("vmx-vpid", "no VPIDs");
  } else {
    bench_skip("vmx-vmcall", "no VMX");
    bench_skip("vmx-cpuid", "no VMX");
  }
  bench_power_off();
  return 0;
}
