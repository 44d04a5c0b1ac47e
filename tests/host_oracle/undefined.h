// What the manuals leave undefined or to the implementation, so that it is not compared.
#pragma once
#include "tests/host_oracle/encode.h"

namespace softvt::oracle {

struct Ignored {
  bool everything = false;  // the destination itself is undefined
  u64 flags = 0;
  u16 status = 0;            // bits of the x87 status word
  bool memory = false;       // what a faulting instruction left in memory
  bool x87 = false;          // TOP, tags and registers
  bool gpr = false;          // what a faulting instruction left in the general registers
  u64 cr2 = 0;               // bits of CR2
  u64 string_registers = 0;  // bits of RCX, RSI, RDI
};

Ignored ignored_parts(const DecodedBytes& d, const Case& c, const Outcome& native,
                      const Outcome& softvt);

}  // namespace softvt::oracle
