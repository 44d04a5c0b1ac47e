// Pairs that begin with arithmetic on registers.
#include "cpu/core/hot/pairs.h"

namespace softvt::hot {

void add_arithmetic_pairs(PairTable& table) {
  using Firsts =
      OpList<RegisterOp<AluRR<OpAdd, u64>>, RegisterOp<AluRI<OpAdd, u64>>,
             RegisterOp<AluRR<OpSub, u64>>, RegisterOp<AluRI<OpSub, u64>>,
             RegisterOp<AluRR<OpXor, u64>>, RegisterOp<AluRR<OpOr, u64>>,
             RegisterOp<AluRI<OpAnd, u32>>, RegisterOp<ShiftR<PlainShr, u64, false>>,
             RegisterOp<ShiftR<PlainShl, u64, false>>, RegisterOp<ShiftR<PlainShr, u32, false>>,
             RegisterOp<ShiftR<PlainRol, u32, false>>, RegisterOp<ImulR<u64, false, true>>,
             RegisterOp<ImulR<u32, true, true>>>;
  add_pairs(table, Firsts{}, Followers{});
}

}  // namespace softvt::hot
