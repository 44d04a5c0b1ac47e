// A window of 64 MiB that is mapped by 4 KiB pages, for the loop of TLB misses.
#pragma once
#include <stdint.h>

#define TLB_WINDOW ((void*)0x8000000000)    // the second entry of the PML4
#define NOT_PRESENT ((void*)0x10000000000)  // the third one: empty

void map_tlb_window(void);
