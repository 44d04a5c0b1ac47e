#include "cpu/core/bind.h"

#include "cpu/core/handlers.h"
#include "cpu/core/mode.h"
#include "cpu/rows.h"

namespace softvt {
namespace {

Step raise_ud(Cpu& cpu, const Insn&) { return cpu.raise_ud(); }
Step raise_nm(Cpu& cpu, const Insn&) { return cpu.raise(Vector::NM); }
Step raise_gp(Cpu& cpu, const Insn&) { return cpu.raise_gp(); }

void bind_cold(Insn& in, ColdFn fn) {
  in.h = handlers::cold();
  in.slow = in.h;
  in.fn = fn;
}

u8 mode_bit(u32 m) {
  if ((m & mode::kCode64) != 0) return modes::k64;
  if ((m & mode::kV86) != 0) return modes::kV86;
  if ((m & mode::kProtected) == 0) return modes::kReal;
  return (m & mode::kLong) != 0 ? modes::kCompat : modes::kProtected;
}

// What the enable bits of CR0 and CR4 make of an instruction of this unit: a fault or null.
ColdFn unit_fault(Unit unit, u32 m) {
  const bool em = (m & mode::kEm) != 0;
  const bool ts = (m & mode::kTs) != 0;
  switch (unit) {
    case Unit::Integer:
      return nullptr;
    case Unit::X87:
    case Unit::FxState:
      return em || ts ? raise_nm : nullptr;
    case Unit::Wait:
      return (m & mode::kMp) != 0 && ts ? raise_nm : nullptr;
    case Unit::Mmx:
      return em ? raise_ud : ts ? raise_nm : nullptr;
    case Unit::Sse:
      if (em || (m & mode::kOsfxsr) == 0) return raise_ud;
      return ts ? raise_nm : nullptr;
    case Unit::Xsave:
      return (m & mode::kOsxsave) == 0 ? raise_ud : nullptr;  // the functions look at CR0.TS
  }
  return raise_ud;
}

// LOCK is legal on a memory destination of the instructions that Zydis accepts it for.
bool lock_is_legal(const Insn& in) {
  return (in.prefixes & prefix::kLock) == 0 || in.form == Form::M || in.form == Form::MR ||
         in.form == Form::MI;
}

// Direct branches that do not have flat code around them are cold.
hot::Bound bind_hot(const Decoded& d) {
  if (d.direct_branch && !d.request.flat_code) return {};
  return hot::bind(d.request);
}

// The kind of register that MOV, PUSH and POP mean.
Operands operands_of(const ZydisDecodedInstruction& z) {
  const bool two_byte = z.opcode_map == ZYDIS_OPCODE_MAP_0F;
  switch (z.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
      if (two_byte) return (z.opcode & 1) == 0 ? Operands::Control : Operands::Debug;
      return z.opcode == 0x8c || z.opcode == 0x8e ? Operands::Segment : Operands::General;
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_POP:
      return two_byte || z.opcode < 0x20 ? Operands::Segment : Operands::General;
    case ZYDIS_MNEMONIC_MOVSD:
    case ZYDIS_MNEMONIC_CMPSD:
      return z.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT ? Operands::String : Operands::General;
    default:
      return Operands::General;
  }
}

// The row of the instruction; two-byte opcodes look among the MMX and SSE rows too.
const InsnRow* find_row(const InstructionSet& isa, const Decoded& d, Operands operands) {
  const ZydisMnemonic m = d.zydis.mnemonic;
  if (operands != Operands::General || d.zydis.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT) {
    return isa.find(m, operands);
  }
  const Operands first = d.mmx_operand ? Operands::Mmx : Operands::Xmm;
  const Operands second = d.mmx_operand ? Operands::Xmm : Operands::Mmx;
  for (const Operands o : {first, second}) {
    if (const InsnRow* row = isa.find(m, o)) return row;
  }
  return isa.find(m);
}

// Hot direct branches count their target from the page start.
void set_page_target(Insn& in) {
  in.imm += i64{in.pofs} + in.len;
  if (in.imm >= 0 && in.imm < static_cast<i64>(kPageSize)) in.flags |= insn_flag::kSamePage;
}

bool is_unconditional(ZydisMnemonic m) {
  switch (m) {
    case ZYDIS_MNEMONIC_JMP:
    case ZYDIS_MNEMONIC_CALL:
    case ZYDIS_MNEMONIC_RET:
      return true;
    default:
      return false;
  }
}

}  // namespace

void bind_fault(Insn& in, Vector vector) {
  bind_cold(in, vector == Vector::GP ? raise_gp : raise_ud);
}

bool bind(const BindContext& context, Decoded& d) {
  Insn& in = d.insn;
  const ZydisMnemonic m = d.zydis.mnemonic;
  if (!lock_is_legal(in)) {
    bind_fault(in, Vector::UD);
    return true;
  }
  const Operands operands = operands_of(d.zydis);
  const bool far = d.zydis.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
  if (operands == Operands::General && !far) {
    if (const hot::Bound b = bind_hot(d)) {
      in.h = b.fast;
      in.slow = b.slow;
      if (d.direct_branch) set_page_target(in);
      return is_unconditional(m);
    }
  }
  const InsnRow* row = find_row(context.isa, d, operands);
  const bool locked = (in.prefixes & prefix::kLock) != 0;
  if (row == nullptr || !context.features.has(row->feature) ||
      (row->modes & mode_bit(context.mode)) == 0 || (locked && !row->lockable)) {
    bind_fault(in, Vector::UD);
    return true;
  }
  if (const ColdFn fault = unit_fault(row->unit, context.mode)) {
    bind_cold(in, fault);
    return true;
  }
  bind_cold(in, row->fn);
  if (row->unit == Unit::Sse && d.request.opsize == 16) {
    if (const Handler h = hot::bind_xmm(d.request)) in.h = h;
  }
  return row->ends_block;
}

}  // namespace softvt
