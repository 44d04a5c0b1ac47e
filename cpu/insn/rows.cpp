#include "cpu/insn/rows.h"

#include <vector>

namespace softvt {

std::span<const InsnRow> integer_rows() {
  using namespace insn;
  static const std::vector<InsnRow> all = [] {
    std::vector<InsnRow> rows;
    for (const std::span<const InsnRow> group :
         {rotate_rows(),      double_shift_rows(),   multiply_rows(),
          divide_rows(),      exchange_rows(),       byte_order_rows(),
          bit_test_rows(),    bit_scan_rows(),       bmi_rows(),
          adx_rows(),         flag_control_rows(),   decimal_rows(),
          push_pop_rows(),    stack_frame_rows(),    flags_stack_rows(),
          string_move_rows(), string_compare_rows(), string_io_rows(),
          cache_rows(),       random_rows(),         misc_rows()}) {
      rows.insert(rows.end(), group.begin(), group.end());
    }
    return rows;
  }();
  return all;
}

}  // namespace softvt
