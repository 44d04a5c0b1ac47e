#include "cpu/cpuid/cpuid.h"

#include <algorithm>
#include <cstring>

#include "cpu/apic/apic_timer.h"
#include "cpu/apic/local_apic.h"
#include "cpu/cpuid/feature_table.h"
#include "cpu/cpuid/topology.h"
#include "cpu/fpu/xsave_layout.h"

namespace softvt {
namespace {

constexpr u32 kExtended = 0x80000000, kHypervisorFirst = 0x40000000, kHypervisorLast = 0x4fffffff;

u32& pick(CpuidResult& result, CpuidRegister reg) {
  switch (reg) {
    case CpuidRegister::Eax:
      return result.eax;
    case CpuidRegister::Ebx:
      return result.ebx;
    case CpuidRegister::Ecx:
      return result.ecx;
    default:
      return result.edx;
  }
}

void set_bit(u32& word, unsigned bit, bool on) {
  word = on ? word | 1u << bit : word & ~(1u << bit);
}

CpuidResult feature_bits(const Cpu& cpu, u32 leaf, u32 subleaf) {
  CpuidResult result;
  for (const FeatureRow& row : feature_rows())
    if (row.leaf == leaf && row.subleaf == subleaf && cpu.has(row.feature))
      pick(result, row.reg) |= 1u << row.bit;
  return result;
}

u32 text4(std::string_view text, std::size_t at) {
  char bytes[4] = {};
  for (std::size_t i = 0; i < 4 && at + i < text.size(); ++i) bytes[i] = text[at + i];
  u32 word;
  std::memcpy(&word, bytes, 4);
  return word;
}

void put_vendor(const CpuModel& model, CpuidResult& r) {
  const std::string_view text = model.intel() ? "GenuineIntel" : "AuthenticAMD";
  r.ebx = text4(text, 0);
  r.edx = text4(text, 4);
  r.ecx = text4(text, 8);
}

// IA32_MISC_ENABLE[22] hides all leaves above 2 from old software.
CpuidResult leaf_0(const Cpu& cpu) {
  constexpr u64 kLimitLeaves = 1 << 22;
  CpuidResult r;
  r.eax = cpu.model->max_leaf;
  if (cpu.intel && (cpu.msr.misc_enable & kLimitLeaves)) r.eax = std::min(r.eax, 2u);
  put_vendor(*cpu.model, r);
  return r;
}

CpuidResult leaf_1(const Cpu& cpu) {
  constexpr u64 kMonitorEnabled = 1 << 18;  // IA32_MISC_ENABLE
  CpuidResult r = feature_bits(cpu, 1, 0);
  r.eax = cpu.model->signature.eax();
  const bool several = cpu.count > 1;
  const u32 ids = std::min(topology_ids(cpu), 255u);
  r.ebx = (cpu.index & 0xff) << 24 | (several ? ids << 16 : 0) | (kCacheLine / 8) << 8;
  set_bit(r.edx, 28, several);
  set_bit(r.ecx, 27, cpu.cr4 & cr4::OSXSAVE);
  if (cpu.apic && !cpu.apic->enabled()) set_bit(r.edx, 9, false);
  if (cpu.intel && (cpu.msr.misc_enable & kMonitorEnabled) == 0) set_bit(r.ecx, 3, false);
  return r;
}

// FFH: "leaf 4 tells the caches"; F0H: 64-byte prefetching.
CpuidResult leaf_2(const Cpu& cpu) {
  return cpu.intel ? CpuidResult{0x0000ff01, 0x000000f0, 0, 0} : CpuidResult{};
}

// No C-states are enumerated in EDX, so that systems prefer HLT for idling.
CpuidResult leaf_5(const Cpu& cpu) {
  constexpr u32 kExtensions = 1, kBreakOnMasked = 2;
  if (!cpu.has(Feature::Monitor)) return {};
  return {kCacheLine, kCacheLine, kExtensions | kBreakOnMasked, 0};
}

CpuidResult leaf_7(const Cpu& cpu, u32 subleaf) {
  CpuidResult r = feature_bits(cpu, 7, subleaf);
  if (subleaf == 0) set_bit(r.ecx, 4, cpu.cr4 & cr4::PKE);
  return r;
}

// SDM 1 13.2 "Enumeration of CPU Support for XSAVE Instructions and XSAVE-Supported Features".
CpuidResult leaf_d(const Cpu& cpu, u32 subleaf) {
  if (!cpu.has(Feature::Xsave)) return {};
  const u64 supported = fpu::supported_xcr0(cpu);
  if (subleaf == 0)
    return {static_cast<u32>(supported), fpu::standard_size(cpu.xcr0),
            fpu::standard_size(supported), static_cast<u32>(supported >> 32)};
  if (subleaf == 1) {
    CpuidResult r = feature_bits(cpu, 0xd, 1);
    if (cpu.has(Feature::Xsavec)) r.ebx = fpu::compacted_size(cpu.xcr0 | cpu.msr.xss);
    return r;
  }
  for (const fpu::XsaveComponent& c : fpu::kXsaveComponents)
    if (c.bit == subleaf && (supported >> c.bit & 1))
      return {c.size, c.standard_offset, c.align64 ? 2u : 0u, 0};
  return {};
}

// The crystal feeds the APIC timer too: software takes its frequency from here.
CpuidResult leaf_15() {
  return {1, static_cast<u32>(kTscKhz / kApicBusKhz), static_cast<u32>(kApicBusKhz * 1000), 0};
}

CpuidResult leaf_16() {
  constexpr u32 kMhz = kTscKhz / 1000;
  return {kMhz, kMhz, 100, 0};
}

CpuidResult basic_leaf(const Cpu& cpu, u32 leaf, u32 subleaf) {
  switch (leaf) {
    case 0:
      return leaf_0(cpu);
    case 1:
      return leaf_1(cpu);
    case 2:
      return leaf_2(cpu);
    case 4:
      return cpu.intel ? cache_leaf_intel(cpu, subleaf) : CpuidResult{};
    case 5:
      return leaf_5(cpu);
    case 6:
      return feature_bits(cpu, 6, 0);
    case 7:
      return leaf_7(cpu, subleaf);
    case 0xb:
      return topology_leaf(cpu, subleaf);
    case 0xd:
      return leaf_d(cpu, subleaf);
    case 0x15:
      return leaf_15();
    case 0x16:
      return leaf_16();
    case 0x1f:
      return topology_leaf(cpu, subleaf);
    default:
      return {};
  }
}

CpuidResult leaf_80000001(const Cpu& cpu) {
  CpuidResult r = feature_bits(cpu, 0x80000001, 0);
  if (cpu.intel) {
    // SDM 2A "CPUID": SYSCALL is reported in 64-bit mode only.
    if (!cpu.code64()) set_bit(r.edx, 11, false);
    return r;
  }
  // AMD repeats bits of leaf 1; SYSENTER (11) and what follows DE have other meanings.
  constexpr u32 kRepeated = 0x0183f3ff;
  r.eax = cpu.model->signature.eax();
  r.edx |= leaf_1(cpu).edx & kRepeated;
  return r;
}

CpuidResult brand_leaf(const Cpu& cpu, u32 leaf) {
  const std::size_t at = (leaf - 0x80000002) * 16;
  const std::string_view brand = cpu.model->brand;
  return {text4(brand, at), text4(brand, at + 4), text4(brand, at + 8), text4(brand, at + 12)};
}

CpuidResult leaf_80000008(const Cpu& cpu) {
  CpuidResult r = feature_bits(cpu, 0x80000008, 0);
  const u32 linear_bits = cpu.has(Feature::La57) ? 57 : 48;
  r.eax = cpu.phys_bits | linear_bits << 8;
  if (!cpu.intel) r.ecx = (std::min(cpu.count, 256u) - 1) | topology_shift(cpu) << 12;
  return r;
}

// APM 3 E.4.9 "Function 8000_000Ah-SVM Features".
CpuidResult leaf_8000000a(const Cpu& cpu) {
  constexpr u32 kRevision = 1, kAsids = 0x8000;
  if (!cpu.has(Feature::Svm)) return {};
  CpuidResult r = feature_bits(cpu, 0x8000000a, 0);
  r.eax = kRevision;
  r.ebx = kAsids;
  return r;
}

CpuidResult leaf_80000000(const Cpu& cpu) {
  CpuidResult r;
  r.eax = cpu.model->max_extended_leaf;
  if (!cpu.intel) put_vendor(*cpu.model, r);
  return r;
}

CpuidResult extended_leaf(const Cpu& cpu, u32 leaf, u32 subleaf) {
  switch (leaf) {
    case 0x80000000:
      return leaf_80000000(cpu);
    case 0x80000001:
      return leaf_80000001(cpu);
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
      return brand_leaf(cpu, leaf);
    case 0x80000005:
      return cpu.intel ? CpuidResult{} : l1_leaf_amd(cpu);
    case 0x80000006:
      return l2_leaf(cpu);
    case 0x80000007:
      return feature_bits(cpu, leaf, 0);
    case 0x80000008:
      return leaf_80000008(cpu);
    case 0x8000000a:
      return leaf_8000000a(cpu);
    case 0x8000001d:
      return cache_leaf_amd(cpu, subleaf);
    case 0x8000001e:
      return topology_leaf_amd(cpu);
    default:
      return {};
  }
}

}  // namespace

CpuidResult cpuid(const Cpu& cpu, u32 leaf, u32 subleaf) {
  if (cpu.model == nullptr) return {};
  if (leaf >= kHypervisorFirst && leaf <= kHypervisorLast) return {};
  const bool extended = leaf >= kExtended;
  const u32 last = extended ? cpu.model->max_extended_leaf : leaf_0(cpu).eax;
  if (leaf > last) {
    // SDM 2A "CPUID": above the highest leaf Intel answers as for the highest basic leaf.
    if (!cpu.intel) return {};
    return basic_leaf(cpu, leaf_0(cpu).eax, subleaf);
  }
  return extended ? extended_leaf(cpu, leaf, subleaf) : basic_leaf(cpu, leaf, subleaf);
}

}  // namespace softvt
