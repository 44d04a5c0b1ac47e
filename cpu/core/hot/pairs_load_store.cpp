// Pairs that begin with a load, a store, PUSH or POP.
#include "cpu/core/hot/pairs.h"

namespace softvt::hot {

void add_load_store_pairs(PairTable& table) {
  using Firsts =
      OpList<NearOp<MovRM<u64>>, IndexedOp<MovRM<u64>>, NearOp<MovRM<u32>>, NearOp<MovMR<u64>>,
             NearOp<MovMR<u32>>, NearOp<ExtendRM<u32, u8>>, NearOp<PushR>, NearOp<PopR>>;
  add_pairs(table, Firsts{}, Followers{});
}

}  // namespace softvt::hot
