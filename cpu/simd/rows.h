// Instruction rows of MMX, SSE ... SSE4.2, AES and PCLMULQDQ.
//
// A mnemonic that exists for MMX and for XMM registers (PADDB) has two rows: the one with Unit::Mmx
// is for encodings with an MMX register operand.
#pragma once
#include <span>

#include "cpu/rows.h"

namespace softvt {

std::span<const InsnRow> simd_rows();

namespace simd {
std::span<const InsnRow> packed_int_rows();
std::span<const InsnRow> packed_int_sse4_rows();
std::span<const InsnRow> packed_float_rows();
std::span<const InsnRow> convert_rows();
std::span<const InsnRow> shuffle_rows();
std::span<const InsnRow> move_rows();
std::span<const InsnRow> element_rows();
std::span<const InsnRow> mmx_rows();
std::span<const InsnRow> control_rows();
std::span<const InsnRow> string_compare_rows();
std::span<const InsnRow> crypto_rows();
std::span<const InsnRow> sse4a_rows();
}  // namespace simd

}  // namespace softvt
