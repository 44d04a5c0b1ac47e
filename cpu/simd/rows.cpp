#include "cpu/simd/rows.h"

namespace softvt {

std::span<const InsnRow> simd_rows() {
  static const std::vector<InsnRow> rows = [] {
    std::vector<InsnRow> all;
    for (const auto part :
         {simd::packed_int_rows(), simd::packed_int_sse4_rows(), simd::packed_float_rows(),
          simd::convert_rows(), simd::shuffle_rows(), simd::move_rows(), simd::element_rows(),
          simd::mmx_rows(), simd::control_rows(), simd::string_compare_rows(), simd::crypto_rows(),
          simd::sse4a_rows()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return rows;
}

}  // namespace softvt
