// The tables that every emulated processor shares: all instructions and all MSRs.
#pragma once
#include "cpu/msr/msr_table.h"
#include "cpu/rows.h"

namespace softvt {

struct ProcessorParts {
  InstructionSet instructions;
  MsrTable msrs;
};

// Built at the first call, constant afterwards.
const ProcessorParts& processor_parts();

}  // namespace softvt
