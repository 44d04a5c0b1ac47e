#include "vmx/vmcs_fields.h"

namespace softvt::vmx {

std::span<const FieldRow> field_rows() { return kFieldRows; }

const FieldRow* find_field(std::string_view name) {
  for (const FieldRow& row : kFieldRows)
    if (row.id == name || row.name == name) return &row;
  return nullptr;
}

}  // namespace softvt::vmx
