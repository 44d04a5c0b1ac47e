// The instructions with which guests reach devices in memory: MOV and its extending forms. Others
// end in an internal error that names the instruction.
#pragma once
#include <optional>
#include <string>

#include "cpu/types.h"

namespace softvt::kvm {

class Vcpu;

// One access to memory, and where its value comes from or goes to.
struct MemoryInstruction {
  bool write = false;
  u8 size = 0;             // of the memory operand
  u8 length = 0;           // of the instruction
  bool immediate = false;  // write: the value is `value`
  u64 value = 0;
  u8 gpr = 0;              // register operand
  bool high_byte = false;  // AH, CH, DH, BH
  u8 gpr_size = 0;
  bool sign_extend = false;
};

// Decodes the instruction at CS:RIP. Null: it is none of those; `error` names it.
std::optional<MemoryInstruction> decode_memory_instruction(Vcpu& vcpu, std::string& error);

u64 stored_value(const Vcpu& vcpu, const MemoryInstruction& instruction);
void put_loaded_value(Vcpu& vcpu, const MemoryInstruction& instruction, u64 value);

}  // namespace softvt::kvm
