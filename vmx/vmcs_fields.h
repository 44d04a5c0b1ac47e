// VMCS fields by encoding and by name. SDM 3C 25.11.2 "VMREAD, VMWRITE, and Encodings of VMCS
// Fields", SDM 3D appendix B.
#pragma once
#include <array>
#include <span>
#include <string_view>

#include "cpu/types.h"
#include "vmx/controls.h"
#include "vmx/vmcs_field_list.h"

namespace softvt::vmx {

enum class Field : u32 {
#define SOFTVT_ENUMERATOR(id, encoding, name, exists) id = encoding,
  SOFTVT_VMCS_FIELDS(SOFTVT_ENUMERATOR)
#undef SOFTVT_ENUMERATOR
};

enum class FieldWidth : u8 { Bits16 = 0, Bits64 = 1, Bits32 = 2, Natural = 3 };
enum class FieldType : u8 { Control = 0, ReadOnly = 1, Guest = 2, Host = 3 };

constexpr FieldWidth width_of(Field f) {
  return static_cast<FieldWidth>((static_cast<u32>(f) >> 13) & 3);
}
constexpr FieldType type_of(Field f) {
  return static_cast<FieldType>((static_cast<u32>(f) >> 10) & 3);
}
constexpr unsigned index_of(Field f) { return (static_cast<u32>(f) >> 1) & 0x1ff; }
// Bits that the field holds.
constexpr u64 mask_of(Field f) {
  switch (width_of(f)) {
    case FieldWidth::Bits16:
      return 0xffff;
    case FieldWidth::Bits32:
      return 0xffffffff;
    default:
      return ~u64{0};
  }
}

struct FieldRow {
  Field field;
  std::string_view id;    // GUEST_CR3
  std::string_view name;  // Guest CR3
  Control exists;         // the control that brings the field along, or Always
};

inline constexpr FieldRow kFieldRows[] = {
#define SOFTVT_ROW(id, encoding, name, exists) {Field::id, #id, name, Control::exists},
    SOFTVT_VMCS_FIELDS(SOFTVT_ROW)
#undef SOFTVT_ROW
};
constexpr unsigned kFieldCount = std::size(kFieldRows);

namespace detail {
constexpr unsigned kMaxIndex = 64;
constexpr u8 kNoRow = 0xff;
static_assert(kFieldCount < kNoRow);
constexpr unsigned slot_of(u32 encoding) {
  return ((encoding >> 10) & 3) << 8 | ((encoding >> 13) & 3) << 6 |
         ((encoding >> 1) & (kMaxIndex - 1));
}
constexpr std::array<u8, 1024> make_row_index() {
  std::array<u8, 1024> rows{};
  for (u8& row : rows) row = kNoRow;
  for (unsigned i = 0; i < kFieldCount; ++i)
    rows[slot_of(static_cast<u32>(kFieldRows[i].field))] = static_cast<u8>(i);
  return rows;
}
inline constexpr std::array<u8, 1024> kRowIndex = make_row_index();
}  // namespace detail

// Row number of a field that is an enumerator.
constexpr unsigned row_of(Field f) {
  return detail::kRowIndex[detail::slot_of(static_cast<u32>(f))];
}

std::span<const FieldRow> field_rows();

// The row of a full-access encoding, or null. `high` tells that the encoding is the high half of a
// 64-bit field (bit 0).
inline const FieldRow* find_field(u64 encoding, bool* high = nullptr) {
  if ((encoding & ~u64{0x6fff}) != 0 || ((encoding >> 1) & 0x1ff) >= detail::kMaxIndex)
    return nullptr;
  const u8 row = detail::kRowIndex[detail::slot_of(static_cast<u32>(encoding))];
  if (row == detail::kNoRow) return nullptr;
  const bool is_high = (encoding & 1) != 0;
  if (is_high && width_of(kFieldRows[row].field) != FieldWidth::Bits64) return nullptr;
  if (high != nullptr) *high = is_high;
  return &kFieldRows[row];
}
// By macro-like id or manual name; null if there is none.
const FieldRow* find_field(std::string_view name);

// The layout of the region, which is the processor's own affair (SDM 3C 25.2 "Format of the VMCS
// Region"): eight bytes a field in the order of the table, behind a header.
constexpr unsigned kFieldArea = 64;
constexpr unsigned offset_of(Field f) { return kFieldArea + 8 * row_of(f); }
static_assert(kFieldArea + 8 * kFieldCount <= kPageSize);

}  // namespace softvt::vmx
