#include "cpu/core/hot/pairs.h"

namespace softvt::hot {
namespace {

PairTable make_table() {
  PairTable table;
  add_load_store_pairs(table);
  add_move_pairs(table);
  add_arithmetic_pairs(table);
  return table;
}

}  // namespace

Handler find_pair(Handler first, Handler second) {
  static const PairTable table = make_table();
  const auto it = table.find({first, second});
  return it == table.end() ? nullptr : it->second;
}

}  // namespace softvt::hot
