// Superinstructions of two neighbours: the second one's body runs behind the first one's without a
// dispatch between them. The lists in pairs_*.cpp name which ones are worth it.
#pragma once
#include <unordered_map>

#include "cpu/core/hot/branch.h"
#include "cpu/core/hot/fused.h"
#include "cpu/core/hot/move.h"
#include "cpu/core/hot/multiply.h"
#include "cpu/core/hot/shift.h"
#include "cpu/core/hot/stack.h"
#include "cpu/core/hot/unary.h"

namespace softvt::hot {

// A handler as a type: its body and the way it goes to memory.
template <class B, class M>
struct Op {
  using Body = B;
  using Mem = M;
  static constexpr Handler handler() { return shell<B, M>; }
};
template <class B>
using RegisterOp = Op<B, Slow>;
template <class B>
using NearOp = Op<B, Fast<BaseDisp>>;
template <class B>
using IndexedOp = Op<B, Fast<Full64>>;

template <class First, class Second>
struct Pair {
  template <class>
  SOFTVT_INLINE static R exec(State& s) {
    const R first = First::Body::template exec<typename First::Mem>(s);
    if (first != R::Next) return first;
    ++s.ip;
    const R second = Second::Body::template exec<typename Second::Mem>(s);
    // A miss in the second: its own handler tries again and goes the slow way.
    if (second == R::Slow) return R::Jump;
    if (second != R::Next) return second;
    ++s.ip;
    return R::Jump;
  }
};

struct PairKey {
  Handler first, second;
  bool operator==(const PairKey&) const = default;
};
struct PairHash {
  std::size_t operator()(const PairKey& key) const {
    const auto a = reinterpret_cast<std::uintptr_t>(key.first);
    const auto b = reinterpret_cast<std::uintptr_t>(key.second);
    return (a * 31 + b) * 0x9e3779b97f4a7c15 >> 20;
  }
};
using PairTable = std::unordered_map<PairKey, Handler, PairHash>;  // looked up only

template <class... Ops>
struct OpList {};

template <class First, class... Seconds>
void add_pairs_of(PairTable& table, OpList<Seconds...>) {
  (table.emplace(PairKey{First::handler(), Seconds::handler()}, shell<Pair<First, Seconds>, Slow>),
   ...);
}
template <class... Firsts, class Seconds>
void add_pairs(PairTable& table, OpList<Firsts...>, Seconds seconds) {
  (add_pairs_of<Firsts>(table, seconds), ...);
}

// What a first instruction can be followed by.
using Followers =
    OpList<NearOp<MovRM<u64>>, IndexedOp<MovRM<u64>>, NearOp<MovRM<u32>>, NearOp<ExtendRM<u32, u8>>,
           NearOp<MovMR<u64>>, NearOp<MovMR<u32>>, RegisterOp<MovRR<u64>>, RegisterOp<MovRR<u32>>,
           RegisterOp<MovRI<u32>>, RegisterOp<AluRR<OpAdd, u64>>, RegisterOp<AluRI<OpAdd, u64>>,
           RegisterOp<AluRR<OpSub, u64>>, RegisterOp<AluRI<OpSub, u64>>,
           RegisterOp<AluRR<OpXor, u32>>, RegisterOp<AluRR<OpXor, u64>>,
           RegisterOp<AluRR<OpOr, u64>>, RegisterOp<AluRI<OpAnd, u32>>,
           RegisterOp<LeaBaseDisp<u64>>, RegisterOp<LeaFull64<u64>>, NearOp<PushR>, NearOp<PopR>,
           NearOp<CallDirect>, NearOp<Ret>, RegisterOp<JmpDirect>,
           RegisterOp<TestJcc<FromRR, u64, Cond::Z>>, RegisterOp<TestJcc<FromRR, u64, Cond::NZ>>,
           RegisterOp<TestJcc<FromRR, u32, Cond::Z>>, RegisterOp<TestJcc<FromRR, u32, Cond::NZ>>,
           RegisterOp<CmpJcc<FromRR, u64, Cond::NZ>>, RegisterOp<CmpJcc<FromRI, u64, Cond::NZ>>,
           RegisterOp<StepJcc<true, u64, Cond::NZ>>, RegisterOp<ShiftR<PlainRol, u32, false>>,
           RegisterOp<ShiftR<PlainShr, u64, false>>, RegisterOp<ShiftR<PlainShl, u64, false>>,
           RegisterOp<ShiftR<PlainShr, u32, false>>>;

void add_load_store_pairs(PairTable& table);
void add_move_pairs(PairTable& table);
void add_arithmetic_pairs(PairTable& table);

}  // namespace softvt::hot
