#include "cpu/cpu.h"
#include "cpu/cpuid/model.h"
#include "cpu/msr/reset.h"

namespace softvt {
namespace {

using F = Feature;
using List = std::initializer_list<Feature>;

FeatureSet join(std::initializer_list<List> lists) {
  FeatureSet set;
  for (const List& list : lists)
    for (const Feature f : list) set.set(f);
  return set;
}

// What every model here has: the processor of the first 64-bit machines with SSSE3.
constexpr List kCommon = {
    F::Fpu,   F::Vme,     F::De,       F::Pse,    F::Tsc,          F::Msr,
    F::Pae,   F::Mce,     F::Cx8,      F::Apic,   F::Sep,          F::Mtrr,
    F::Pge,   F::Mca,     F::Cmov,     F::Pat,    F::Pse36,        F::Clfsh,
    F::Mmx,   F::Fxsr,    F::Sse,      F::Sse2,   F::Sse3,         F::Ssse3,
    F::Cx16,  F::Monitor, F::LahfSahf, F::Nx,     F::Syscall,      F::LongMode,
    F::Sse41, F::Sse42,   F::Popcnt,   F::Rdtscp, F::InvariantTsc, F::Hypervisor};
constexpr List kIntelCommon = {F::SelfSnoop, F::Vmx};
constexpr List kAmdCommon = {F::Svm, F::CmpLegacy, F::MmxExt, F::TopologyExt};

// Both vendors since about 2017.
constexpr List kModern = {F::Pclmulqdq,  F::Movbe,    F::Aes,    F::Xsave,   F::Rdrand, F::FsGsBase,
                          F::Bmi1,       F::Smep,     F::Bmi2,   F::Rdseed,  F::Adx,    F::Smap,
                          F::Clflushopt, F::Xsaveopt, F::Xsavec, F::Xgetbv1, F::Xsaves, F::Lzcnt,
                          F::Prefetchw,  F::Page1Gb,  F::Arat};
constexpr List kIntelModern = {F::X2apic, F::TscDeadline, F::TscAdjust, F::Erms,
                               F::Pcid,   F::Invpcid,     F::Clwb,      F::Pku};
constexpr List kNewest = {F::X2apic, F::Pcid, F::Invpcid, F::Clwb, F::Pku,
                          F::Umip,   F::La57, F::Rdpid,   F::Fsrm, F::Erms};
constexpr List kSvmModern = {F::Npt,         F::NripSave,      F::VmcbClean,
                             F::FlushByAsid, F::DecodeAssists, F::PauseFilter};
constexpr List kSvmNewest = {F::PauseFilterThreshold};

constexpr std::array<CacheDescription, 4> kIntelServerCaches = {{
    {CacheType::Data, 1, 32, 8, false},
    {CacheType::Instruction, 1, 32, 8, false},
    {CacheType::Unified, 2, 1024, 16, false},
    {CacheType::Unified, 3, 22528, 11, true},
}};
constexpr std::array<CacheDescription, 4> kNehalemCaches = {{
    {CacheType::Data, 1, 32, 8, false},
    {CacheType::Instruction, 1, 32, 4, false},
    {CacheType::Unified, 2, 256, 8, false},
    {CacheType::Unified, 3, 8192, 16, true, true},
}};
constexpr std::array<CacheDescription, 4> kAmdServerCaches = {{
    {CacheType::Data, 1, 32, 8, false},
    {CacheType::Instruction, 1, 64, 4, false},
    {CacheType::Unified, 2, 512, 8, false, true},
    {CacheType::Unified, 3, 8192, 16, true},
}};
constexpr std::array<CacheDescription, 4> kNewestAmdCaches = {{
    {CacheType::Data, 1, 32, 8, false},
    {CacheType::Instruction, 1, 32, 8, false},
    {CacheType::Unified, 2, 1024, 8, false, true},
    {CacheType::Unified, 3, 32768, 16, true},
}};

const CpuModel kModels[] = {
    {.name = "max-intel",
     .vendor = VendorId::Intel,
     .signature = {6, 0x8f, 8},
     .brand = "softvt processor, every Intel feature",
     .features = join({kCommon,
                       kIntelCommon,
                       kModern,
                       kIntelModern,
                       kNewest,
                       {F::Pks, F::Serialize, F::ArchCapabilities}}),
     .phys_bits = 46,
     .max_leaf = 0x1f,
     .max_extended_leaf = 0x80000008,
     .microcode = 0x2b000461,
     .caches = kIntelServerCaches},
    {.name = "max-amd",
     .vendor = VendorId::Amd,
     .signature = {0x19, 0x11, 1},
     .brand = "softvt processor, every AMD feature",
     .features = join({kCommon, kAmdCommon, kModern, kNewest, kSvmModern, kSvmNewest, {F::Clzero}}),
     .phys_bits = 48,
     .max_leaf = 0xd,
     .max_extended_leaf = 0x8000001e,
     .microcode = 0x0a101148,
     .caches = kNewestAmdCaches},
    {.name = "skylake-server",
     .vendor = VendorId::Intel,
     .signature = {6, 0x55, 4},
     .brand = "softvt processor (Skylake server)",
     .features = join({kCommon, kIntelCommon, kModern, kIntelModern}),
     .phys_bits = 46,
     .max_leaf = 0x16,
     .max_extended_leaf = 0x80000008,
     .microcode = 0x02006e05,
     .caches = kIntelServerCaches},
    {.name = "epyc",
     .vendor = VendorId::Amd,
     .signature = {0x17, 1, 2},
     .brand = "softvt processor (EPYC)",
     .features = join({kCommon, kAmdCommon, kModern, kSvmModern, {F::Clzero}}),
     .phys_bits = 48,
     .max_leaf = 0xd,
     .max_extended_leaf = 0x8000001e,
     .microcode = 0x0800126e,
     .caches = kAmdServerCaches},
    {.name = "nehalem",
     .vendor = VendorId::Intel,
     .signature = {6, 0x1a, 5},
     .brand = "softvt processor (Nehalem)",
     .features = join({kCommon, kIntelCommon}),
     .phys_bits = 40,
     .max_leaf = 0xb,
     .max_extended_leaf = 0x80000008,
     .microcode = 0x1d,
     .caches = kNehalemCaches},
};

}  // namespace

std::span<const CpuModel> cpu_models() { return kModels; }

const CpuModel* find_model(std::string_view name) {
  for (const CpuModel& model : kModels)
    if (model.name == name) return &model;
  return nullptr;
}

void apply_model(Cpu& cpu, const CpuModel& model) {
  cpu.model = &model;
  cpu.features = model.features;
  cpu.phys_bits = model.phys_bits;
  cpu.intel = model.intel();
  reset_msrs(cpu);
}

}  // namespace softvt
