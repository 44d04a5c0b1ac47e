// Operand values at which instructions are likely to differ.
#pragma once
#include "tests/host_oracle/random.h"

namespace softvt::oracle {

// 0, 1, -1, limits of the sizes, powers of two and their neighbours, random bits.
u64 edge_integer(Random& random);
// NaNs, infinities, denormals, zeros, limits, and ordinary numbers of similar magnitude.
u32 edge_single(Random& random);
u64 edge_double(Random& random);
// 10 bytes in the format of the x87 registers.
void edge_extended(Random& random, u8* out);
// 16 bytes: lanes of one of the kinds above, often equal ones. `reuse` (16 bytes or null) is a
// value that the lanes may be taken from.
void edge_vector(Random& random, const u8* reuse, u8* out);

}  // namespace softvt::oracle
