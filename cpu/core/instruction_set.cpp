#include "cpu/rows.h"

namespace softvt {

InstructionSet::InstructionSet()
    : rows_(index(static_cast<ZydisMnemonic>(ZYDIS_MNEMONIC_MAX_VALUE + 1), Operands::General),
            nullptr) {}

namespace {

Operands place_of(const InsnRow& row) {
  if (row.unit == Unit::Mmx) return Operands::Mmx;
  if (row.unit == Unit::Sse) return Operands::Xmm;
  return row.operands;
}

}  // namespace

void InstructionSet::add(std::span<const InsnRow> rows) {
  for (const InsnRow& row : rows) rows_[index(row.mnemonic, place_of(row))] = &row;
}

}  // namespace softvt
