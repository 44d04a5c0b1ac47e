#include "kvm/disassemble.h"

#include <Zydis/Zydis.h>

namespace softvt::kvm {

std::string disassemble(std::span<const u8> bytes, unsigned bits, u64 rip) {
  const ZydisMachineMode mode = bits == 64   ? ZYDIS_MACHINE_MODE_LONG_64
                                : bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32
                                             : ZYDIS_MACHINE_MODE_LEGACY_16;
  ZydisDisassembledInstruction instruction;
  if (!ZYAN_SUCCESS(ZydisDisassembleIntel(mode, rip, bytes.data(), bytes.size(), &instruction))) {
    return "(bad)";
  }
  return instruction.text;
}

}  // namespace softvt::kvm
