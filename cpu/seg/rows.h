// Instructions that this folder executes, bound by mnemonic.
#pragma once
#include "cpu/rows.h"

namespace softvt {

std::span<const InsnRow> segment_rows();

}  // namespace softvt
