// The instruction forms that exist: found by walking the opcode maps.
#pragma once
#include <Zydis/Zydis.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cpu/features.h"
#include "cpu/rows.h"
#include "tests/host_oracle/exclusions.h"

namespace softvt::oracle {

enum class OpcodeMap : u8 { OneByte, Two0F, Three0F38, Three0F3A, Vex0F38, Vex0F3A };

// Where the r/m operand is; Address32 stands for prefix 67. The last two also serve for
// instructions with implied memory operands.
enum class Place : u8 { None, Register, BaseDisp, Indexed, RipRelative, Absolute, Address32, Gs };

struct Form {
  bool compat = false;  // 32-bit code in compatibility mode
  OpcodeMap map = OpcodeMap::OneByte;
  u8 prefix = 0;           // 66, F2, F3 or 0; VEX: pp
  bool operand66 = false;  // 66 in front of F2 or F3
  bool rex_w = false;
  bool lock = false;
  bool vex_register = false;  // VEX.vvvv names an operand
  u8 opcode = 0;
  bool has_modrm = false;
  bool reg_free = false, rm_free = false;  // the field names an operand, not the operation
  u8 reg = 0, rm = 0;
  Place place = Place::None;
  u8 immediate_bytes = 0;
  i8 jcc = -1;  // condition of a Jcc that follows, -1 none
  ZydisMnemonic mnemonic = ZYDIS_MNEMONIC_INVALID;
};

struct FormList {
  std::vector<Form> forms;
  std::map<std::string, unsigned> missing_features;  // CPUID name -> forms the host does not have
  std::set<const Exclusion*> used_exclusions;
  std::set<ZydisMnemonic> not_executed;  // decoded, but softvt has nothing for the mnemonic
};

FormList enumerate_forms(const InstructionSet& isa, const FeatureSet& host);

}  // namespace softvt::oracle
