#include "cpu/cpuid/topology.h"

#include <algorithm>
#include <bit>

namespace softvt {
namespace {

const CacheDescription* find_cache(const Cpu& cpu, unsigned level, CacheType type) {
  for (const CacheDescription& cache : cpu.model->caches)
    if (cache.level == level && cache.type == type) return &cache;
  return nullptr;
}

u32 sets(const CacheDescription& cache) { return cache.kib * 1024 / (cache.ways * kCacheLine); }

// Leaf 4 of Intel and 8000001DH of AMD: the same layout but for EAX[31:26].
CpuidResult cache_leaf(const Cpu& cpu, u32 subleaf) {
  if (subleaf >= cpu.model->caches.size()) return {};
  const CacheDescription& cache = cpu.model->caches[subleaf];
  constexpr u32 kSelfInitialising = 1 << 8;
  const u32 sharing = cache.package ? std::min(topology_ids(cpu), 4096u) - 1 : 0;
  CpuidResult r;
  r.eax = static_cast<u32>(cache.type) | u32{cache.level} << 5 | kSelfInitialising | sharing << 14;
  r.ebx = (kCacheLine - 1) | (cache.ways - 1u) << 22;
  r.ecx = sets(cache) - 1;
  r.edx = cache.inclusive ? 2 : 0;
  return r;
}

// APM 3 E.4.5, table "L2/L3 Cache and TLB Associativity Field Encoding".
u32 associativity_code(u32 ways) {
  struct Row {
    u32 ways, code;
  };
  constexpr Row kRows[] = {{128, 14}, {96, 13}, {64, 12}, {48, 11}, {32, 10},
                           {16, 8},   {8, 6},   {4, 4},   {2, 2},   {1, 1}};
  for (const Row& row : kRows)
    if (ways >= row.ways) return row.code;
  return 0;
}

u32 l1_word(const CacheDescription* cache) {
  if (cache == nullptr) return 0;
  return cache->kib << 24 | u32{cache->ways} << 16 | 1 << 8 | kCacheLine;
}

}  // namespace

u32 topology_shift(const Cpu& cpu) {
  return cpu.count <= 1 ? 0 : static_cast<u32>(std::bit_width(cpu.count - 1));
}

CpuidResult cache_leaf_intel(const Cpu& cpu, u32 subleaf) {
  CpuidResult r = cache_leaf(cpu, subleaf);
  if (r.eax != 0) r.eax |= (std::min(topology_ids(cpu), 64u) - 1) << 26;
  return r;
}

CpuidResult cache_leaf_amd(const Cpu& cpu, u32 subleaf) {
  return cpu.has(Feature::TopologyExt) ? cache_leaf(cpu, subleaf) : CpuidResult{};
}

// SDM 2A "CPUID", leaf 0BH "Extended Topology Enumeration".
CpuidResult topology_leaf(const Cpu& cpu, u32 subleaf) {
  constexpr u32 kThreadLevel = 1 << 8, kCoreLevel = 2 << 8;
  CpuidResult r;
  r.ecx = subleaf & 0xff;
  r.edx = cpu.index;
  if (subleaf == 0) {
    r.ebx = 1;
    r.ecx |= kThreadLevel;
  } else if (subleaf == 1) {
    r.eax = topology_shift(cpu);
    r.ebx = cpu.count & 0xffff;
    r.ecx |= kCoreLevel;
  }
  return r;
}

CpuidResult l1_leaf_amd(const Cpu& cpu) {
  constexpr u32 kTlb = 0xff40ff40;  // 64 entries each, fully associative
  return {kTlb, kTlb, l1_word(find_cache(cpu, 1, CacheType::Data)),
          l1_word(find_cache(cpu, 1, CacheType::Instruction))};
}

CpuidResult l2_leaf(const Cpu& cpu) {
  CpuidResult r;
  if (const CacheDescription* l2 = find_cache(cpu, 2, CacheType::Unified))
    r.ecx =
        l2->kib << 16 | associativity_code(l2->ways) << 12 | (cpu.intel ? 0 : 1 << 8) | kCacheLine;
  if (cpu.intel) return r;
  if (const CacheDescription* l3 = find_cache(cpu, 3, CacheType::Unified))
    r.edx = (l3->kib / 512) << 18 | associativity_code(l3->ways) << 12 | 1 << 8 | kCacheLine;
  return r;
}

// APM 3 E.4.17 "Function 8000_001Eh-Extended Identifiers".
CpuidResult topology_leaf_amd(const Cpu& cpu) {
  if (!cpu.has(Feature::TopologyExt)) return {};
  return {cpu.index, cpu.index & 0xff, 0, 0};
}

}  // namespace softvt
