// The page walk: linear to physical by the rules of the current paging mode.
// SDM 3A chapter 4 "Paging".
#pragma once
#include "cpu/cpu.h"

namespace softvt {

struct WalkAccess {
  bool write = false, fetch = false;
  bool user = false;      // access at CPL 3 and not implicit supervisor
  bool implicit = false;  // implicit supervisor access (EFLAGS.AC does not lift SMAP)
};

// What a successful walk found: enough to fill a TLB entry for every kind of access.
struct Mapping {
  u64 pa = 0;             // physical (host-physical under a second stage) of the page of `linear`
  u64 size_mask = 0xfff;  // size of the smallest mapping in effect - 1
  bool user = false;      // U/S of all levels
  bool writable = false;  // R/W of all levels, and second stage
  bool execute = true;    // not NX, and second stage
  bool dirty = false;     // D is set in the leaf (or paging is off): a write needs no walk
  bool global = false;
  u8 pkey = 0;
  u64 gpa = 0;           // guest-physical of the page (equals pa without a second stage)
  bool readable = true;  // second stage allows reads
};

// Walks, checks rights, sets A (and D for writes) atomically and only on success, raises #PF with
// error code and CR2 on failure, or posts a second-stage exit. `linear` is canonical.
bool walk(Cpu& cpu, u64 linear, const WalkAccess& access, Mapping& out);

// The same without effects (debuggers, traces); false if not mapped.
bool peek(const Cpu& cpu, u64 linear, u64& pa);

// Loads the PDPTE registers from CR3 for PAE paging; false: #GP is due. SDM 3A 4.4.1.
bool load_pdptes(Cpu& cpu, u64 cr3);

// Would an access with these rights be allowed by this mapping, A/D aside? Used to fill TLB tags.
bool allowed(const Cpu& cpu, const Mapping& m, const WalkAccess& access);

}  // namespace softvt
