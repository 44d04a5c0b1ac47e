#include "cpu/cpuid/feature_table.h"

namespace softvt {
namespace {

using enum CpuidRegister;
using F = Feature;

// SDM 2A "CPUID", tables 3-17 to 3-20; APM 3 appendix E.3, E.4.
constexpr FeatureRow kRows[] = {
    {F::Fpu, "fpu", 1, 0, Edx, 0},
    {F::Vme, "vme", 1, 0, Edx, 1},
    {F::De, "de", 1, 0, Edx, 2},
    {F::Pse, "pse", 1, 0, Edx, 3},
    {F::Tsc, "tsc", 1, 0, Edx, 4},
    {F::Msr, "msr", 1, 0, Edx, 5},
    {F::Pae, "pae", 1, 0, Edx, 6},
    {F::Mce, "mce", 1, 0, Edx, 7},
    {F::Cx8, "cx8", 1, 0, Edx, 8},
    {F::Apic, "apic", 1, 0, Edx, 9},
    {F::Sep, "sep", 1, 0, Edx, 11},
    {F::Mtrr, "mtrr", 1, 0, Edx, 12},
    {F::Pge, "pge", 1, 0, Edx, 13},
    {F::Mca, "mca", 1, 0, Edx, 14},
    {F::Cmov, "cmov", 1, 0, Edx, 15},
    {F::Pat, "pat", 1, 0, Edx, 16},
    {F::Pse36, "pse36", 1, 0, Edx, 17},
    {F::Clfsh, "clflush", 1, 0, Edx, 19},
    {F::Mmx, "mmx", 1, 0, Edx, 23},
    {F::Fxsr, "fxsr", 1, 0, Edx, 24},
    {F::Sse, "sse", 1, 0, Edx, 25},
    {F::Sse2, "sse2", 1, 0, Edx, 26},
    {F::SelfSnoop, "ss", 1, 0, Edx, 27},
    {F::Htt, "ht", 1, 0, Edx, 28},

    {F::Sse3, "pni", 1, 0, Ecx, 0},
    {F::Pclmulqdq, "pclmulqdq", 1, 0, Ecx, 1},
    {F::Monitor, "monitor", 1, 0, Ecx, 3},
    {F::Vmx, "vmx", 1, 0, Ecx, 5},
    {F::Ssse3, "ssse3", 1, 0, Ecx, 9},
    {F::Cx16, "cx16", 1, 0, Ecx, 13},
    {F::Pcid, "pcid", 1, 0, Ecx, 17},
    {F::Sse41, "sse4_1", 1, 0, Ecx, 19},
    {F::Sse42, "sse4_2", 1, 0, Ecx, 20},
    {F::X2apic, "x2apic", 1, 0, Ecx, 21},
    {F::Movbe, "movbe", 1, 0, Ecx, 22},
    {F::Popcnt, "popcnt", 1, 0, Ecx, 23},
    {F::TscDeadline, "tsc_deadline_timer", 1, 0, Ecx, 24},
    {F::Aes, "aes", 1, 0, Ecx, 25},
    {F::Xsave, "xsave", 1, 0, Ecx, 26},
    {F::Rdrand, "rdrand", 1, 0, Ecx, 30},
    {F::Hypervisor, "hypervisor", 1, 0, Ecx, 31},

    {F::Arat, "arat", 6, 0, Eax, 2},

    {F::FsGsBase, "fsgsbase", 7, 0, Ebx, 0},
    {F::TscAdjust, "tsc_adjust", 7, 0, Ebx, 1},
    {F::Bmi1, "bmi1", 7, 0, Ebx, 3},
    {F::Smep, "smep", 7, 0, Ebx, 7},
    {F::Bmi2, "bmi2", 7, 0, Ebx, 8},
    {F::Erms, "erms", 7, 0, Ebx, 9},
    {F::Invpcid, "invpcid", 7, 0, Ebx, 10},
    {F::Rdseed, "rdseed", 7, 0, Ebx, 18},
    {F::Adx, "adx", 7, 0, Ebx, 19},
    {F::Smap, "smap", 7, 0, Ebx, 20},
    {F::Clflushopt, "clflushopt", 7, 0, Ebx, 23},
    {F::Clwb, "clwb", 7, 0, Ebx, 24},
    {F::Sha, "sha_ni", 7, 0, Ebx, 29},
    {F::Umip, "umip", 7, 0, Ecx, 2},
    {F::Pku, "pku", 7, 0, Ecx, 3},
    {F::La57, "la57", 7, 0, Ecx, 16},
    {F::Rdpid, "rdpid", 7, 0, Ecx, 22},
    {F::Pks, "pks", 7, 0, Ecx, 31},
    {F::Fsrm, "fsrm", 7, 0, Edx, 4},
    {F::Serialize, "serialize", 7, 0, Edx, 14},
    {F::ArchCapabilities, "arch_capabilities", 7, 0, Edx, 29},

    {F::Xsaveopt, "xsaveopt", 0xd, 1, Eax, 0},
    {F::Xsavec, "xsavec", 0xd, 1, Eax, 1},
    {F::Xgetbv1, "xgetbv1", 0xd, 1, Eax, 2},
    {F::Xsaves, "xsaves", 0xd, 1, Eax, 3},

    {F::LahfSahf, "lahf_lm", 0x80000001, 0, Ecx, 0},
    {F::CmpLegacy, "cmp_legacy", 0x80000001, 0, Ecx, 1},
    {F::Svm, "svm", 0x80000001, 0, Ecx, 2},
    {F::ExtApicSpace, "extapic", 0x80000001, 0, Ecx, 3},
    {F::Cr8Legacy, "cr8_legacy", 0x80000001, 0, Ecx, 4},
    {F::Lzcnt, "abm", 0x80000001, 0, Ecx, 5},
    {F::Sse4a, "sse4a", 0x80000001, 0, Ecx, 6},
    {F::MisalignSse, "misalignsse", 0x80000001, 0, Ecx, 7},
    {F::Prefetchw, "3dnowprefetch", 0x80000001, 0, Ecx, 8},
    {F::TopologyExt, "topoext", 0x80000001, 0, Ecx, 22},
    {F::Syscall, "syscall", 0x80000001, 0, Edx, 11},
    {F::Nx, "nx", 0x80000001, 0, Edx, 20},
    {F::MmxExt, "mmxext", 0x80000001, 0, Edx, 22},
    {F::FfxSr, "fxsr_opt", 0x80000001, 0, Edx, 25},
    {F::Page1Gb, "pdpe1gb", 0x80000001, 0, Edx, 26},
    {F::Rdtscp, "rdtscp", 0x80000001, 0, Edx, 27},
    {F::LongMode, "lm", 0x80000001, 0, Edx, 29},
    {F::InvariantTsc, "invtsc", 0x80000007, 0, Edx, 8},
    {F::Clzero, "clzero", 0x80000008, 0, Ebx, 0},

    {F::Npt, "npt", 0x8000000a, 0, Edx, 0},
    {F::LbrVirt, "lbrv", 0x8000000a, 0, Edx, 1},
    {F::SvmLock, "svm_lock", 0x8000000a, 0, Edx, 2},
    {F::NripSave, "nrip_save", 0x8000000a, 0, Edx, 3},
    {F::TscRateMsr, "tsc_scale", 0x8000000a, 0, Edx, 4},
    {F::VmcbClean, "vmcb_clean", 0x8000000a, 0, Edx, 5},
    {F::FlushByAsid, "flushbyasid", 0x8000000a, 0, Edx, 6},
    {F::DecodeAssists, "decodeassists", 0x8000000a, 0, Edx, 7},
    {F::PauseFilter, "pausefilter", 0x8000000a, 0, Edx, 10},
    {F::PauseFilterThreshold, "pfthreshold", 0x8000000a, 0, Edx, 12},
    {F::Avic, "avic", 0x8000000a, 0, Edx, 13},
    {F::VirtVmsaveVmload, "v_vmsave_vmload", 0x8000000a, 0, Edx, 15},
    {F::Vgif, "vgif", 0x8000000a, 0, Edx, 16},
};

}  // namespace

std::span<const FeatureRow> feature_rows() { return kRows; }

std::optional<Feature> find_feature(std::string_view name) {
  for (const FeatureRow& row : kRows)
    if (row.name == name) return row.feature;
  return std::nullopt;
}

}  // namespace softvt
