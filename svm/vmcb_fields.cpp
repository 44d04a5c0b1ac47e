#include "svm/vmcb_fields.h"

namespace softvt::svm {

const FieldRow* find_field(std::string_view name) {
  for (const FieldRow& field : kFields)
    if (field.name == name) return &field;
  return nullptr;
}

const FieldRow* field_at(u16 offset) {
  for (const FieldRow& field : kFields)
    if (offset >= field.offset && offset < field.offset + field.bytes) return &field;
  return nullptr;
}

}  // namespace softvt::svm
