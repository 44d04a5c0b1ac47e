#include "tests/host_oracle/undefined.h"

namespace softvt::oracle {
namespace {

using namespace rflags;

enum class When : u8 {
  Always,
  Shifted,    // the masked count is not 0
  ManyTimes,  // the masked count is not 0 or 1
  PastWidth,  // the masked count is the operand's width or more
};

struct UndefinedFlags {
  ZydisMnemonic mnemonic;
  u64 flags;
  When when = When::Always;
};

// SDM 2A-2D, "Flags Affected" of each instruction; also SDM 1 appendix A, table A-1.
constexpr UndefinedFlags kRows[] = {
    {ZYDIS_MNEMONIC_AND, AF},
    {ZYDIS_MNEMONIC_OR, AF},
    {ZYDIS_MNEMONIC_XOR, AF},
    {ZYDIS_MNEMONIC_TEST, AF},
    {ZYDIS_MNEMONIC_SHL, AF, When::Shifted},
    {ZYDIS_MNEMONIC_SHL, OF, When::ManyTimes},
    {ZYDIS_MNEMONIC_SHL, CF, When::PastWidth},
    {ZYDIS_MNEMONIC_SHR, AF, When::Shifted},
    {ZYDIS_MNEMONIC_SHR, OF, When::ManyTimes},
    {ZYDIS_MNEMONIC_SHR, CF, When::PastWidth},
    {ZYDIS_MNEMONIC_SAR, AF, When::Shifted},
    {ZYDIS_MNEMONIC_SAR, OF, When::ManyTimes},
    {ZYDIS_MNEMONIC_ROL, OF, When::ManyTimes},
    {ZYDIS_MNEMONIC_ROR, OF, When::ManyTimes},
    {ZYDIS_MNEMONIC_RCL, OF, When::ManyTimes},
    {ZYDIS_MNEMONIC_RCR, OF, When::ManyTimes},
    {ZYDIS_MNEMONIC_SHLD, AF, When::Shifted},
    {ZYDIS_MNEMONIC_SHLD, OF, When::ManyTimes},
    {ZYDIS_MNEMONIC_SHRD, AF, When::Shifted},
    {ZYDIS_MNEMONIC_SHRD, OF, When::ManyTimes},
    {ZYDIS_MNEMONIC_MUL, SF | ZF | AF | PF},
    {ZYDIS_MNEMONIC_IMUL, SF | ZF | AF | PF},
    {ZYDIS_MNEMONIC_DIV, Arithmetic},
    {ZYDIS_MNEMONIC_IDIV, Arithmetic},
    {ZYDIS_MNEMONIC_BSF, CF | OF | SF | AF | PF},
    {ZYDIS_MNEMONIC_BSR, CF | OF | SF | AF | PF},
    {ZYDIS_MNEMONIC_BT, OF | SF | AF | PF},
    {ZYDIS_MNEMONIC_BTC, OF | SF | AF | PF},
    {ZYDIS_MNEMONIC_BTR, OF | SF | AF | PF},
    {ZYDIS_MNEMONIC_BTS, OF | SF | AF | PF},
    {ZYDIS_MNEMONIC_LZCNT, OF | SF | AF | PF},
    {ZYDIS_MNEMONIC_TZCNT, OF | SF | AF | PF},
    {ZYDIS_MNEMONIC_ANDN, AF | PF},
    {ZYDIS_MNEMONIC_BEXTR, SF | AF | PF},
    {ZYDIS_MNEMONIC_BLSI, AF | PF},
    {ZYDIS_MNEMONIC_BLSMSK, AF | PF},
    {ZYDIS_MNEMONIC_BLSR, AF | PF},
    {ZYDIS_MNEMONIC_BZHI, AF | PF},
    {ZYDIS_MNEMONIC_AAA, OF | SF | ZF | PF},
    {ZYDIS_MNEMONIC_AAS, OF | SF | ZF | PF},
    {ZYDIS_MNEMONIC_AAD, OF | AF | CF},
    {ZYDIS_MNEMONIC_AAM, OF | AF | CF},
    {ZYDIS_MNEMONIC_DAA, OF},
    {ZYDIS_MNEMONIC_DAS, OF},
};

// The masked count: the immediate, 1, or CL. SDM 2B "SAL/SAR/SHL/SHR".
u64 shift_count(const DecodedBytes& d, const Case& c) {
  const ZydisDecodedOperand& last = d.ops[d.z.operand_count_visible - 1];
  const u64 count = last.type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? last.imm.value.u : c.gpr[1];
  return count & (d.ops[0].size == 64 ? 63 : 31);
}

bool holds(When when, const DecodedBytes& d, const Case& c) {
  switch (when) {
    case When::Always:
      return true;
    case When::Shifted:
      return shift_count(d, c) != 0;
    case When::ManyTimes:
      return shift_count(d, c) > 1;
    case When::PastWidth:
      return shift_count(d, c) >= d.ops[0].size;
  }
  return false;
}

u64 undefined_flags(const DecodedBytes& d, const Case& c) {
  u64 flags = 0;
  for (const UndefinedFlags& row : kRows) {
    if (row.mnemonic == d.z.mnemonic && holds(row.when, d, c)) flags |= row.flags;
  }
  return flags;
}

bool undefined_result(const DecodedBytes& d, const Case& c) {
  switch (d.z.mnemonic) {
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD:
      return shift_count(d, c) > d.ops[0].size;
    case ZYDIS_MNEMONIC_BSWAP:
      return d.ops[0].size == 16;
    default:
      return false;
  }
}

constexpr u8 kBreakpoint = 3, kStackFault = 12, kProtection = 13, kPageFault = 14, kAlignment = 17;

bool protection(u8 vector) { return vector == kProtection || vector == kStackFault; }

// Operands that the processor reads or writes in several accesses: 80-bit numbers, packed decimals,
// x87 environments, FXSAVE areas. Which access faults first, and what was written before, is not
// architectural.
bool multi_part(const DecodedBytes& d) {
  for (unsigned i = 0; i < d.z.operand_count; ++i) {
    const ZydisDecodedOperand& op = d.ops[i];
    if (op.type == ZYDIS_OPERAND_TYPE_MEMORY && op.size > 64 && op.size != 128) return true;
  }
  return false;
}

bool uses_mmx(const DecodedBytes& d) {
  for (unsigned i = 0; i < d.z.operand_count_visible; ++i) {
    const ZydisDecodedOperand& op = d.ops[i];
    if (op.type == ZYDIS_OPERAND_TYPE_REGISTER &&
        ZydisRegisterGetClass(op.reg.value) == ZYDIS_REGCLASS_MMX) {
      return true;
    }
  }
  return false;
}

bool repeats(const DecodedBytes& d) {
  return (d.z.attributes &
          (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0;
}

// The same fault condition reported by another of the exceptions that are due at once.
bool priority_differs(const DecodedBytes& d, const Case& c, const Outcome& native,
                      const Outcome& softvt) {
  // An operand across 4 GiB breaks the limit or wraps, up to the implementation. SDM 3A 5.3.
  constexpr u64 kMostOperand = 16;
  if (c.compat && native.vector == kPageFault && protection(softvt.vector) &&
      static_cast<u32>(native.cr2 + kMostOperand) < 2 * kMostOperand) {
    return true;
  }
  // SDM 3A table 6-2 ranks #AC with the other faults of an execution; hardware may look at the
  // alignment of an address that is not canonical first.
  if (native.vector == kAlignment && protection(softvt.vector)) return true;
  // The push of a CALL before the look at its target.
  if (d.z.mnemonic == ZYDIS_MNEMONIC_CALL && softvt.vector == kProtection) {
    return native.vector == kPageFault || native.vector == kStackFault;
  }
  // The part below the end of the canonical range, or the part behind it.
  return multi_part(d) && native.vector == kPageFault && protection(softvt.vector);
}

}  // namespace

Ignored ignored_parts(const DecodedBytes& d, const Case& c, const Outcome& native,
                      const Outcome& softvt) {
  Ignored i;
  i.everything = undefined_result(d, c) || priority_differs(d, c, native, softvt);
  i.flags = undefined_flags(d, c);
  // C0 to C3 are undefined. SDM 2A "FFREE".
  if (d.z.mnemonic == ZYDIS_MNEMONIC_FFREE || d.z.mnemonic == ZYDIS_MNEMONIC_FFREEP) {
    i.status = 0x4700;
  }
  const bool faulted = native.vector != kBreakpoint;
  if (faulted && multi_part(d)) {
    i.memory = true;
    i.cr2 = ~u64{0};
  }
  // MMX stores and MASKMOV: whether the x87 unit is in MMX state when the store faults.
  i.x87 = faulted && uses_mmx(d);
  // Which bytes fault, and whether those masked off do. SDM 2B "MASKMOVDQU", "MASKMOVQ".
  const bool masked =
      d.z.mnemonic == ZYDIS_MNEMONIC_MASKMOVQ || d.z.mnemonic == ZYDIS_MNEMONIC_MASKMOVDQU;
  if (faulted && masked) i.everything = true;
  // Which registers are loaded when a POPA faults.
  i.gpr = faulted && (d.z.mnemonic == ZYDIS_MNEMONIC_POPA || d.z.mnemonic == ZYDIS_MNEMONIC_POPAD);
  // Below the stack pointer, where a CALL that faults by its target has already been.
  if (faulted && d.z.mnemonic == ZYDIS_MNEMONIC_CALL) i.memory = true;
  // Whether a REP that faults in its first iteration has zero-extended ECX, ESI and EDI.
  if (faulted && repeats(d) && d.z.address_width == 32) i.string_registers = ~u64{0} << 32;
  return i;
}

}  // namespace softvt::oracle
