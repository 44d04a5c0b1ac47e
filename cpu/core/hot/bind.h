// Binding of decoded instructions to hot handlers. Each file of this folder binds one group of
// mnemonics and returns an empty Bound for what it does not know.
#pragma once
#include <Zydis/Zydis.h>

#include "cpu/core/hot/memory.h"
#include "cpu/core/shell.h"

namespace softvt::hot {

struct Bound {
  Handler fast = nullptr;
  Handler slow = nullptr;
  explicit operator bool() const { return fast != nullptr; }
};

enum class AddressKind : u8 { BaseDisp, Full64, Flat32, SlowOnly };

// What the binder looks at.
struct Request {
  ZydisMnemonic mnemonic;
  Form form;
  u8 opsize;    // of the operation
  u8 src_size;  // of the second operand (MOVZX, MOVSX)
  bool three_operands;
  bool code64;
  bool flat_code;           // near branches need no limit check
  bool flags_dead = false;  // every flag it writes is written again before anything can look
  AddressKind address;
};

template <class Body>
Bound register_form() {
  const Handler h = shell<Body, Slow>;
  return {h, h};
}
template <class Body>
Bound memory_form(AddressKind kind) {
  const Handler slow = shell<Body, Slow>;
  switch (kind) {
    case AddressKind::BaseDisp:
      return {shell<Body, Fast<BaseDisp>>, slow};
    case AddressKind::Full64:
      return {shell<Body, Fast<Full64>>, slow};
    case AddressKind::Flat32:
      return {shell<Body, Fast<Flat32>>, slow};
    case AddressKind::SlowOnly:
      break;
  }
  return {slow, slow};
}
// For forms that are rare: no fast variant.
template <class Body>
Bound slow_form() {
  return register_form<Body>();
}

// Calls f.template operator()<T>() with the unsigned type of the size.
template <class F>
Bound by_size(unsigned size, F f) {
  switch (size) {
    case 1:
      return f.template operator()<u8>();
    case 2:
      return f.template operator()<u16>();
    case 4:
      return f.template operator()<u32>();
    case 8:
      return f.template operator()<u64>();
    default:
      return {};
  }
}

// The handlers of an instruction, if it is a hot one.
Bound bind(const Request& q);
// Binds a hot instruction again, after its request changed.
void rebind(const Request& q, Insn& in);
// Shifts and rotates by a count of 0 leave the flags alone.
bool writes_flags_sometimes(ZydisMnemonic m);

Bound bind_add_sub(const Request& q);    // ADD SUB ADC SBB CMP
Bound bind_logic(const Request& q);      // AND OR XOR TEST
Bound bind_move(const Request& q);       // MOV MOVZX MOVSX MOVSXD LEA
Bound bind_unary(const Request& q);      // INC DEC NEG NOT, sign extensions of RAX
Bound bind_shift(const Request& q);      // SHL SHR SAR; ROL ROR if their flags are dead
Bound bind_condition(const Request& q);  // SETcc CMOVcc
Bound bind_branch(const Request& q);     // Jcc JMP CALL RET
Bound bind_stack(const Request& q);      // PUSH POP LEAVE in 64-bit mode
Bound bind_multiply(const Request& q);   // IMUL with two and three operands

// The handler of a common SSE2 instruction on XMM registers, or null. Its slow way is the cold
// function.
Handler bind_xmm(const Request& q);

// One handler for two instructions in a row that have these handlers, or null.
Handler find_pair(Handler first, Handler second);

// A compare or arithmetic instruction fused with the Jcc behind it; empty if the pair is not one.
Bound bind_fused(const Request& first, const Request& jcc);

}  // namespace softvt::hot
