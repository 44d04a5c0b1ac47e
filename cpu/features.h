// CPUID features that softvt's processor can have. A model (cpu/cpuid/) is a subset of these; what
// has no row here cannot be in any model. SDM 2A "CPUID", APM 3 Appendix E.
#pragma once
#include <array>
#include <bitset>
#include <string_view>

#include "cpu/types.h"

namespace softvt {

enum class Feature : u8 {
  None,  // always present
  Fpu,
  Vme,
  De,
  Pse,
  Tsc,
  Msr,
  Pae,
  Mce,
  Cx8,
  Apic,
  Sep,
  Mtrr,
  Pge,
  Mca,
  Cmov,
  Pat,
  Pse36,
  Clfsh,
  Mmx,
  Fxsr,
  Sse,
  Sse2,
  SelfSnoop,
  Htt,
  Sse3,
  Pclmulqdq,
  Monitor,
  Vmx,
  Ssse3,
  Cx16,
  Pcid,
  Sse41,
  Sse42,
  X2apic,
  Movbe,
  Popcnt,
  TscDeadline,
  Aes,
  Xsave,
  Rdrand,
  Hypervisor,
  Arat,
  FsGsBase,
  TscAdjust,
  Bmi1,
  Smep,
  Bmi2,
  Erms,
  Invpcid,
  Rdseed,
  Adx,
  Smap,
  Clflushopt,
  Clwb,
  Sha,
  Umip,
  Pku,
  Ospke,
  La57,
  Rdpid,
  Pks,
  Fsrm,
  Serialize,
  Xsaveopt,
  Xsavec,
  Xgetbv1,
  Xsaves,
  LahfSahf,
  Svm,
  CmpLegacy,
  ExtApicSpace,
  Cr8Legacy,
  Lzcnt,
  Sse4a,
  MisalignSse,
  Prefetchw,
  TopologyExt,
  Syscall,
  Nx,
  MmxExt,
  FfxSr,
  Page1Gb,
  Rdtscp,
  LongMode,
  InvariantTsc,
  Clzero,
  Npt,
  LbrVirt,
  SvmLock,
  NripSave,
  TscRateMsr,
  VmcbClean,
  FlushByAsid,
  DecodeAssists,
  PauseFilter,
  PauseFilterThreshold,
  Avic,
  VirtVmsaveVmload,
  Vgif,
  ArchCapabilities,
  Count
};

constexpr std::size_t kFeatureCount = static_cast<std::size_t>(Feature::Count);

class FeatureSet {
 public:
  constexpr FeatureSet() = default;
  bool has(Feature f) const {
    return bits_.test(static_cast<std::size_t>(f)) || f == Feature::None;
  }
  void set(Feature f, bool on = true) { bits_.set(static_cast<std::size_t>(f), on); }
  bool operator==(const FeatureSet&) const = default;

 private:
  std::bitset<kFeatureCount> bits_;
};

}  // namespace softvt
