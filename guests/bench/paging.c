// SDM 3A 4.5 "4-Level Paging and 5-Level Paging".
#include "paging.h"

#include "loops.h"

enum { kPresentWritable = 3, kEntries = 512 };
enum { kTables = kTlbPages / kEntries };
#define WINDOW_PHYSICAL 0x4000000ull  // behind the image: 64 to 128 MiB

static uint64_t tables[kTables][kEntries] __attribute__((aligned(4096)));
static uint64_t directory[kEntries] __attribute__((aligned(4096)));
static uint64_t pointers[kEntries] __attribute__((aligned(4096)));

static uint64_t entry(const void* table) { return (uint64_t)(uintptr_t)table | kPresentWritable; }

void map_tlb_window(void) {
  for (unsigned t = 0; t < kTables; ++t) {
    for (unsigned i = 0; i < kEntries; ++i) {
      const uint64_t page = WINDOW_PHYSICAL + ((uint64_t)t * kEntries + i) * 4096;
      tables[t][i] = page | kPresentWritable;
      *(volatile uint64_t*)(uintptr_t)page = (page >> 12) * 2654435761u;
    }
    directory[t] = entry(tables[t]);
  }
  pointers[0] = entry(directory);
  uint64_t cr3;
  __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
  volatile uint64_t* pml4 = (volatile uint64_t*)(uintptr_t)(cr3 & ~0xfffull);
  pml4[1] = entry(pointers);
  __asm__ volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
}
