// Finding and building decoded blocks.
#pragma once
#include "cpu/core/code_cache.h"
#include "cpu/cpu.h"

namespace softvt {

constexpr unsigned kMaxBlockInsns = 64;

// The first instruction of the block at cpu.rip, decoded now if need be; sets the code page and the
// jump cache. Null: a fault is posted (fetch fault, #GP of the limit or canonical check).
// `fresh`: do not take a block from the cache (its second page moved).
Insn* find_block(Cpu& cpu, bool fresh);

}  // namespace softvt
