// The instruction rows of the x87, FXSAVE and XSAVE instructions.
#pragma once
#include <span>

#include "cpu/rows.h"

namespace softvt {

std::span<const InsnRow> fpu_rows();

}  // namespace softvt
