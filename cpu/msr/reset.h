// Power-on values of the MSRs.
#pragma once

namespace softvt {

class Cpu;

// RESET: all MSRs of `cpu` take the power-on values of its model. SDM 3A 10.1.1, table 10-1.
void reset_msrs(Cpu& cpu);

}  // namespace softvt
