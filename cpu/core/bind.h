// Binding of a decoded instruction to what executes it.
#pragma once
#include "cpu/core/decode.h"
#include "cpu/cpu.h"

namespace softvt {

struct BindContext {
  u32 mode;
  const InstructionSet& isa;
  const FeatureSet& features;
};

// Sets h, slow and fn of `d.insn`. Returns true if the block must end behind it.
bool bind(const BindContext& context, Decoded& d);

// The Insn of an instruction that raises an exception whatever its operands are.
void bind_fault(Insn& in, Vector vector);

}  // namespace softvt
