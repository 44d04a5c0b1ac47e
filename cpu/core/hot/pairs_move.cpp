// Pairs that begin with a register move or LEA.
#include "cpu/core/hot/pairs.h"

namespace softvt::hot {

void add_move_pairs(PairTable& table) {
  using Firsts = OpList<RegisterOp<MovRR<u64>>, RegisterOp<MovRR<u32>>, RegisterOp<MovRI<u32>>,
                        RegisterOp<LeaBaseDisp<u64>>, RegisterOp<LeaFull64<u64>>,
                        RegisterOp<AluRR<OpXor, u32>>>;
  add_pairs(table, Firsts{}, Followers{});
}

}  // namespace softvt::hot
