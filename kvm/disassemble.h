// Text of one instruction, in Intel syntax.
#pragma once
#include <span>
#include <string>

#include "cpu/types.h"

namespace softvt::kvm {

// `bits`: 16, 32 or 64. "(bad)" if the bytes are no instruction.
std::string disassemble(std::span<const u8> bytes, unsigned bits, u64 rip);

}  // namespace softvt::kvm
