// Rows of the instruction table. Each folder that executes instructions contributes rows; the
// decoder binds a decoded instruction to the row of its mnemonic (cpu/core/bind.cpp).
#pragma once
#include <Zydis/Zydis.h>

#include <span>
#include <string_view>
#include <vector>

#include "cpu/features.h"
#include "cpu/insn.h"

namespace softvt {

// Which enable bits an instruction needs; checked when a block is decoded, since they are part of
// the block key. SDM 3A 2.5, 13.1; SDM 2A table 2-21 ff. (exception classes).
enum class Unit : u8 {
  Integer,
  X87,      // #NM if CR0.EM or CR0.TS
  Wait,     // FWAIT: #NM if CR0.MP and CR0.TS
  Mmx,      // #UD if CR0.EM, #NM if CR0.TS
  Sse,      // #UD if CR0.EM or not CR4.OSFXSR, #NM if CR0.TS
  FxState,  // FXSAVE, FXRSTOR: #NM if CR0.EM or CR0.TS
  Xsave,    // #UD if not CR4.OSXSAVE; #NM by CR0.TS is the function's matter
};

// Modes in which the instruction exists.
namespace modes {
constexpr u8 kReal = 1, kV86 = 2, kProtected = 4, kCompat = 8, k64 = 16;
constexpr u8 kAll = 31, kNot64 = kReal | kV86 | kProtected | kCompat,
             kNot64Protected = kProtected | kCompat;
constexpr u8 kProtectedOnly = kProtected | kCompat | k64;  // #UD in real and virtual-8086 mode
}  // namespace modes

// A mnemonic can name different instructions: MOV, PUSH and POP by the kind of their register
// operand; MOVSD and CMPSD as string or SSE2 instructions; PADDB and its like on MMX or XMM
// registers. Rows of Unit::Mmx and Unit::Sse are filed under Mmx and Xmm by themselves.
enum class Operands : u8 { General, Segment, Control, Debug, String, Mmx, Xmm, Count };

struct InsnRow {
  ZydisMnemonic mnemonic;
  ColdFn fn;
  Feature feature = Feature::None;
  Unit unit = Unit::Integer;
  u8 modes = modes::kAll;
  bool lockable = false;    // LOCK is allowed with a memory destination
  bool ends_block = false;  // always returns something other than Next: end the block after it
  Operands operands = Operands::General;
};

class InstructionSet {
 public:
  InstructionSet();
  void add(std::span<const InsnRow> rows);
  // Null if no row is there.
  const InsnRow* find(ZydisMnemonic m, Operands operands = Operands::General) const {
    return rows_[index(m, operands)];
  }

 private:
  static std::size_t index(ZydisMnemonic m, Operands operands) {
    return m * static_cast<std::size_t>(Operands::Count) + static_cast<std::size_t>(operands);
  }
  std::vector<const InsnRow*> rows_;
};

}  // namespace softvt
