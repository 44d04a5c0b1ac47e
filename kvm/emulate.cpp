#include "kvm/emulate.h"

#include <Zydis/Zydis.h>

#include "kvm/disassemble.h"
#include "kvm/vcpu.h"

namespace softvt::kvm {
namespace {

struct Decoded {
  ZydisDecodedInstruction instruction;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

bool decode(const u8* bytes, unsigned count, unsigned bits, Decoded& out) {
  const ZydisMachineMode mode = bits == 64   ? ZYDIS_MACHINE_MODE_LONG_64
                                : bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32
                                             : ZYDIS_MACHINE_MODE_LEGACY_16;
  const ZydisStackWidth stack = bits == 64   ? ZYDIS_STACK_WIDTH_64
                                : bits == 32 ? ZYDIS_STACK_WIDTH_32
                                             : ZYDIS_STACK_WIDTH_16;
  ZydisDecoder decoder;
  return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, mode, stack)) &&
         ZYAN_SUCCESS(
             ZydisDecoderDecodeFull(&decoder, bytes, count, &out.instruction, out.operands));
}

bool is_move(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_MOVZX:
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD:
      return true;
    default:
      return false;
  }
}

bool put_register(ZydisRegister reg, MemoryInstruction& out) {
  const ZydisRegisterClass cls = ZydisRegisterGetClass(reg);
  out.high_byte = reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
  if (out.high_byte) {
    out.gpr = static_cast<u8>(reg - ZYDIS_REGISTER_AH);
    out.gpr_size = 1;
    return true;
  }
  switch (cls) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
      break;
    default:
      return false;
  }
  const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
  out.gpr = static_cast<u8>(whole - ZYDIS_REGISTER_RAX);
  out.gpr_size = static_cast<u8>(ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, reg) / 8);
  return out.gpr < 16;
}

bool convert(const Decoded& decoded, MemoryInstruction& out) {
  if (!is_move(decoded.instruction.mnemonic)) return false;
  const ZydisDecodedOperand& to = decoded.operands[0];
  const ZydisDecodedOperand& from = decoded.operands[1];
  out.length = decoded.instruction.length;
  out.sign_extend = decoded.instruction.mnemonic == ZYDIS_MNEMONIC_MOVSX ||
                    decoded.instruction.mnemonic == ZYDIS_MNEMONIC_MOVSXD;
  out.write = to.type == ZYDIS_OPERAND_TYPE_MEMORY;
  const ZydisDecodedOperand& memory = out.write ? to : from;
  const ZydisDecodedOperand& other = out.write ? from : to;
  if (memory.type != ZYDIS_OPERAND_TYPE_MEMORY) return false;
  out.size = static_cast<u8>(memory.size / 8);
  if (out.size == 0 || out.size > 8) return false;
  if (other.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
    out.immediate = true;
    out.value = other.imm.value.u;
    return true;
  }
  return other.type == ZYDIS_OPERAND_TYPE_REGISTER && put_register(other.reg.value, out);
}

}  // namespace

std::optional<MemoryInstruction> decode_memory_instruction(Vcpu& vcpu, std::string& error) {
  u8 bytes[15];
  const unsigned count = vcpu.fetch_instruction(bytes);
  Decoded decoded;
  MemoryInstruction out;
  if (count != 0 && decode(bytes, count, vcpu.code_bits(), decoded) && convert(decoded, out)) {
    return out;
  }
  error = count == 0 ? "its bytes cannot be read"
                     : "'" + disassemble({bytes, count}, vcpu.code_bits(), vcpu.rip()) +
                           "' is not emulated for device memory";
  return std::nullopt;
}

u64 stored_value(const Vcpu& vcpu, const MemoryInstruction& in) {
  if (in.immediate) return in.value & size_mask(in.size);
  return vcpu.gpr_part(in.gpr, in.size, in.high_byte);
}

void put_loaded_value(Vcpu& vcpu, const MemoryInstruction& in, u64 value) {
  value &= size_mask(in.size);
  if (in.sign_extend) {
    const unsigned spare = 64 - in.size * 8u;
    value = static_cast<u64>(static_cast<i64>(value << spare) >> spare);
  }
  vcpu.set_gpr_part(in.gpr, in.gpr_size, in.high_byte, value);
}

}  // namespace softvt::kvm
