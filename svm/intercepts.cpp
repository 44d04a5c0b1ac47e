#include "svm/intercepts.h"

#include <array>

namespace softvt::svm {
namespace {

using E = ExitCode;
using I = Intercept;

// clang-format off
constexpr InterceptRow kRows[] = {
    {3, 0, "INTR", E::Intr, I::None},
    {3, 1, "NMI", E::Nmi, I::None},
    {3, 2, "SMI", E::Smi, I::None},
    {3, 3, "INIT", E::Init, I::None},
    {3, 4, "VINTR", E::Vintr, I::None},
    {3, 5, "CR0_SEL_WRITE", E::Cr0SelWrite, I::None},
    {3, 6, "IDTR_READ", E::IdtrRead, I::None},
    {3, 7, "GDTR_READ", E::GdtrRead, I::None},
    {3, 8, "LDTR_READ", E::LdtrRead, I::None},
    {3, 9, "TR_READ", E::TrRead, I::None},
    {3, 10, "IDTR_WRITE", E::IdtrWrite, I::None},
    {3, 11, "GDTR_WRITE", E::GdtrWrite, I::None},
    {3, 12, "LDTR_WRITE", E::LdtrWrite, I::None},
    {3, 13, "TR_WRITE", E::TrWrite, I::None},
    {3, 14, "RDTSC", E::Rdtsc, I::Rdtsc},
    {3, 15, "RDPMC", E::Rdpmc, I::Rdpmc},
    {3, 16, "PUSHF", E::Pushf, I::Pushf},
    {3, 17, "POPF", E::Popf, I::Popf},
    {3, 18, "CPUID", E::Cpuid, I::Cpuid},
    {3, 19, "RSM", E::Rsm, I::Rsm},
    {3, 20, "IRET", E::Iret, I::Iret},
    {3, 21, "INTn", E::SwInt, I::None},
    {3, 22, "INVD", E::Invd, I::Invd},
    {3, 23, "PAUSE", E::Pause, I::None},
    {3, 24, "HLT", E::Hlt, I::Hlt},
    {3, 25, "INVLPG", E::Invlpg, I::None},
    {3, 26, "INVLPGA", E::Invlpga, I::Invlpga},
    {3, 27, "IOIO_PROT", E::Ioio, I::None},
    {3, 28, "MSR_PROT", E::Msr, I::None},
    {3, 29, "TASK_SWITCH", E::TaskSwitch, I::None},
    {3, 30, "FERR_FREEZE", E::FerrFreeze, I::None},
    {3, 31, "SHUTDOWN", E::Shutdown, I::None},
    {4, 0, "VMRUN", E::Vmrun, I::Vmrun},
    {4, 1, "VMMCALL", E::Vmmcall, I::Vmmcall},
    {4, 2, "VMLOAD", E::Vmload, I::Vmload},
    {4, 3, "VMSAVE", E::Vmsave, I::Vmsave},
    {4, 4, "STGI", E::Stgi, I::Stgi},
    {4, 5, "CLGI", E::Clgi, I::Clgi},
    {4, 6, "SKINIT", E::Skinit, I::Skinit},
    {4, 7, "RDTSCP", E::Rdtscp, I::Rdtscp},
    {4, 8, "ICEBP", E::Icebp, I::Icebp},
    {4, 9, "WBINVD", E::Wbinvd, I::Wbinvd},
    {4, 10, "MONITOR", E::Monitor, I::Monitor},
    {4, 11, "MWAIT", E::Mwait, I::None},
    {4, 12, "MWAIT_ARMED", E::MwaitConditional, I::None},
    {4, 13, "XSETBV", E::Xsetbv, I::Xsetbv},
    {5, 2, "INVPCID", E::Invpcid, I::Invpcid},
};
// clang-format on

constexpr std::size_t kWhats = static_cast<std::size_t>(Intercept::Vmfunc) + 1;

constexpr auto kPlain = [] {
  std::array<u8, kWhats> index{};  // row + 1
  for (u8 i = 0; i < std::size(kRows); ++i)
    if (kRows[i].what != I::None) index[static_cast<std::size_t>(kRows[i].what)] = i + 1;
  return index;
}();

}  // namespace

std::span<const InterceptRow> intercept_rows() { return kRows; }

const InterceptRow* find_intercept(std::string_view name) {
  for (const InterceptRow& candidate : kRows)
    if (candidate.name == name) return &candidate;
  return nullptr;
}

const InterceptRow* plain_intercept(Intercept what) {
  const u8 index = kPlain[static_cast<std::size_t>(what)];
  return index == 0 ? nullptr : &kRows[index - 1];
}

}  // namespace softvt::svm
