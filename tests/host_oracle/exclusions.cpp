#include "tests/host_oracle/exclusions.h"

namespace softvt::oracle {
namespace {

constexpr std::string_view kSystemCall = "enters the host's kernel";
constexpr std::string_view kFarTransfer = "needs the host's descriptor tables";
constexpr std::string_view kTables = "tells of the host's tables, or is emulated by its kernel";
constexpr std::string_view kClock = "tells the time or the processor number";
constexpr std::string_view kRandom = "random";
constexpr std::string_view kIdentity = "tells which processor it is";
constexpr std::string_view kStateArea = "its area depends on the host's enabled state components";
constexpr std::string_view kThread = "changes the test's own thread pointer or GS base";
constexpr std::string_view kSegmentLoad = "loads a segment register of the test's own process";

constexpr Exclusion kExclusions[] = {
    {ZYDIS_MNEMONIC_SYSCALL, Scope::All, kSystemCall},
    {ZYDIS_MNEMONIC_SYSENTER, Scope::All, kSystemCall},
    {ZYDIS_MNEMONIC_INT, Scope::All, kSystemCall},
    {ZYDIS_MNEMONIC_CALL, Scope::Far, kFarTransfer},
    {ZYDIS_MNEMONIC_JMP, Scope::Far, kFarTransfer},
    {ZYDIS_MNEMONIC_RET, Scope::Far, kFarTransfer},
    {ZYDIS_MNEMONIC_IRET, Scope::All, kFarTransfer},
    {ZYDIS_MNEMONIC_IRETD, Scope::All, kFarTransfer},
    {ZYDIS_MNEMONIC_IRETQ, Scope::All, kFarTransfer},
    {ZYDIS_MNEMONIC_LAR, Scope::All, kTables},
    {ZYDIS_MNEMONIC_LSL, Scope::All, kTables},
    {ZYDIS_MNEMONIC_VERR, Scope::All, kTables},
    {ZYDIS_MNEMONIC_VERW, Scope::All, kTables},
    {ZYDIS_MNEMONIC_SGDT, Scope::All, kTables},
    {ZYDIS_MNEMONIC_SIDT, Scope::All, kTables},
    {ZYDIS_MNEMONIC_SLDT, Scope::All, kTables},
    {ZYDIS_MNEMONIC_STR, Scope::All, kTables},
    {ZYDIS_MNEMONIC_SMSW, Scope::All, kTables},
    {ZYDIS_MNEMONIC_RDTSC, Scope::All, kClock},
    {ZYDIS_MNEMONIC_RDTSCP, Scope::All, kClock},
    {ZYDIS_MNEMONIC_RDPID, Scope::All, kClock},
    {ZYDIS_MNEMONIC_RDRAND, Scope::All, kRandom},
    {ZYDIS_MNEMONIC_RDSEED, Scope::All, kRandom},
    {ZYDIS_MNEMONIC_CPUID, Scope::All, kIdentity},
    {ZYDIS_MNEMONIC_XGETBV, Scope::All, kStateArea},
    {ZYDIS_MNEMONIC_XSAVE, Scope::All, kStateArea},
    {ZYDIS_MNEMONIC_XSAVE64, Scope::All, kStateArea},
    {ZYDIS_MNEMONIC_XSAVEOPT, Scope::All, kStateArea},
    {ZYDIS_MNEMONIC_XSAVEOPT64, Scope::All, kStateArea},
    {ZYDIS_MNEMONIC_XSAVEC, Scope::All, kStateArea},
    {ZYDIS_MNEMONIC_XSAVEC64, Scope::All, kStateArea},
    {ZYDIS_MNEMONIC_XRSTOR, Scope::All, kStateArea},
    {ZYDIS_MNEMONIC_XRSTOR64, Scope::All, kStateArea},
    {ZYDIS_MNEMONIC_RDFSBASE, Scope::All, kThread},
    {ZYDIS_MNEMONIC_WRFSBASE, Scope::All, kThread},
    {ZYDIS_MNEMONIC_WRGSBASE, Scope::All, kThread},
    {ZYDIS_MNEMONIC_LFS, Scope::All, kSegmentLoad},
    {ZYDIS_MNEMONIC_LGS, Scope::All, kSegmentLoad},
    {ZYDIS_MNEMONIC_LSS, Scope::All, kSegmentLoad},
    {ZYDIS_MNEMONIC_MOV, Scope::ToSegment, kSegmentLoad},
    {ZYDIS_MNEMONIC_POP, Scope::ToSegment, kSegmentLoad},
};

bool is_segment(const ZydisDecodedOperand& op) {
  return op.type == ZYDIS_OPERAND_TYPE_REGISTER &&
         ZydisRegisterGetClass(op.reg.value) == ZYDIS_REGCLASS_SEGMENT;
}

bool in_scope(Scope scope, const ZydisDecodedInstruction& z, const ZydisDecodedOperand* ops) {
  switch (scope) {
    case Scope::All:
      return true;
    case Scope::Far:
      return z.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
    case Scope::ToSegment:
      return z.operand_count_visible > 0 && is_segment(ops[0]);
  }
  return false;
}

}  // namespace

std::span<const Exclusion> exclusions() { return kExclusions; }

const Exclusion* find_exclusion(const ZydisDecodedInstruction& z, const ZydisDecodedOperand* ops) {
  for (const Exclusion& e : kExclusions) {
    if (e.mnemonic == z.mnemonic && in_scope(e.scope, z, ops)) return &e;
  }
  return nullptr;
}

}  // namespace softvt::oracle
