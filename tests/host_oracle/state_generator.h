// Flags and floating-point state of a case.
#pragma once
#include <Zydis/Zydis.h>

#include "tests/host_oracle/case.h"
#include "tests/host_oracle/random.h"

namespace softvt::oracle {

u64 random_flags(Random& random, bool string);
void fill_fx(Random& random, ZydisISASet set, ZydisInstructionCategory category, FxImage& fx);

}  // namespace softvt::oracle
