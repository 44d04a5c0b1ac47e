// Instructions that softvt executes but that are not compared, and why.
#pragma once
#include <Zydis/Zydis.h>

#include <span>
#include <string_view>

#include "cpu/types.h"

namespace softvt::oracle {

enum class Scope : u8 { All, Far, ToSegment };

struct Exclusion {
  ZydisMnemonic mnemonic;
  Scope scope;
  std::string_view reason;
};

std::span<const Exclusion> exclusions();
// The exclusion that this instruction falls under, or null.
const Exclusion* find_exclusion(const ZydisDecodedInstruction& z, const ZydisDecodedOperand* ops);

}  // namespace softvt::oracle
