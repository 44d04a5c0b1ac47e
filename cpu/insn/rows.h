// The general-purpose instructions that are executed by functions, one span of rows a group.
#pragma once
#include <span>

#include "cpu/rows.h"

namespace softvt {

// All groups in one span.
std::span<const InsnRow> integer_rows();

namespace insn {

std::span<const InsnRow> rotate_rows();
std::span<const InsnRow> double_shift_rows();
std::span<const InsnRow> multiply_rows();
std::span<const InsnRow> divide_rows();
std::span<const InsnRow> exchange_rows();
std::span<const InsnRow> byte_order_rows();
std::span<const InsnRow> bit_test_rows();
std::span<const InsnRow> bit_scan_rows();
std::span<const InsnRow> bmi_rows();
std::span<const InsnRow> adx_rows();
std::span<const InsnRow> flag_control_rows();
std::span<const InsnRow> decimal_rows();
std::span<const InsnRow> push_pop_rows();
std::span<const InsnRow> stack_frame_rows();
std::span<const InsnRow> flags_stack_rows();
std::span<const InsnRow> string_move_rows();
std::span<const InsnRow> string_compare_rows();
std::span<const InsnRow> string_io_rows();
std::span<const InsnRow> cache_rows();
std::span<const InsnRow> random_rows();
std::span<const InsnRow> misc_rows();

}  // namespace insn
}  // namespace softvt
