// Processor models as data: what CPUID tells of the processor, and which instructions, bits and
// MSRs exist. SDM 2A "CPUID-CPU Identification", APM 3 appendix E.
#pragma once
#include <array>
#include <span>
#include <string_view>

#include "cpu/features.h"
#include "cpu/types.h"

namespace softvt {

class Cpu;

enum class VendorId : u8 { Intel, Amd };

enum class CacheType : u8 { Data = 1, Instruction = 2, Unified = 3 };

struct CacheDescription {
  CacheType type;
  u8 level;
  u32 kib;
  u16 ways;
  bool package;  // shared by all cores of the package, else private to a core
  bool inclusive = false;
};
constexpr u32 kCacheLine = 64;

struct ModelSignature {
  u8 family, model, stepping;  // with the extended family and model included
  // CPUID.01H:EAX.
  constexpr u32 eax() const {
    const u32 base_family = family < 15 ? family : 15;
    const u32 extended_family = family < 15 ? 0 : family - 15u;
    return extended_family << 20 | (model >> 4u) << 16 | base_family << 8 | (model & 15u) << 4 |
           stepping;
  }
};

class CpuModel {
 public:
  std::string_view name;
  VendorId vendor;
  ModelSignature signature;
  std::string_view brand;  // at most 47 characters
  FeatureSet features;
  u8 phys_bits;
  u32 max_leaf, max_extended_leaf;
  u32 microcode;
  std::array<CacheDescription, 4> caches;

  bool intel() const { return vendor == VendorId::Intel; }
};

std::span<const CpuModel> cpu_models();
const CpuModel* find_model(std::string_view name);  // null if there is none

// Makes the processor one of this model: features, physical address width, vendor behaviour, and
// the power-on values of its MSRs. To be followed by a power-on reset.
void apply_model(Cpu& cpu, const CpuModel& model);

}  // namespace softvt
