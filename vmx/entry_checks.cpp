#include "vmx/entry_checks.h"

#include <cstdio>

namespace softvt::vmx {
namespace {

std::vector<CheckRow> join(std::initializer_list<std::span<const CheckRow>> parts) {
  std::vector<CheckRow> rows;
  for (const auto part : parts) rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

u8 dependencies(const CheckRow& row) {
  u8 groups = 0;
  for (const Field f : row.fields) groups |= dirty_group(f);
  return groups;
}

// For each class and each set of dirty groups the checks to be made.
class Plans {
 public:
  Plans() {
    for (unsigned cls = 0; cls < 3; ++cls)
      for (const CheckRow& row : check_rows(static_cast<CheckClass>(cls)))
        for (unsigned set = 0; set <= dirty::kAll; ++set)
          if (dependencies(row) & set) lists_[cls][set].push_back(&row);
  }
  const std::vector<const CheckRow*>& of(CheckClass cls, u8 set) const {
    return lists_[static_cast<unsigned>(cls)][set & dirty::kAll];
  }

 private:
  std::vector<const CheckRow*> lists_[3][dirty::kAll + 1];
};

void append_fields(std::string& text, const CheckContext& ctx, const CheckRow& row) {
  for (const Field f : row.fields) {
    const FieldRow& field = kFieldRows[row_of(f)];
    text += "    ";
    text += field.id;
    text += " (";
    text += field.name;
    text += ") = " + hex(ctx[f]) + "\n";
  }
}

void append_rule(std::string& text, const CheckContext& ctx, const CheckRow& row) {
  text += "    rule: ";
  text += row.rule;
  text += "\n";
  if (row.allowed != nullptr) text += "    allowed: " + row.allowed(ctx) + "\n";
}

constexpr std::string_view kClassNames[] = {"control fields", "host state", "guest state"};

}  // namespace

std::span<const CheckRow> check_rows(CheckClass cls) {
  static const std::vector<CheckRow> guest =
      join({check_tables::guest_registers(), check_tables::guest_segments(),
            check_tables::guest_state()});
  switch (cls) {
    case CheckClass::Control:
      return check_tables::controls();
    case CheckClass::Host:
      return check_tables::host();
    case CheckClass::Guest:
      return guest;
  }
  return {};
}

const CheckRow* find_check(std::string_view id) {
  for (const CheckClass cls : {CheckClass::Control, CheckClass::Host, CheckClass::Guest})
    for (const CheckRow& row : check_rows(cls))
      if (row.id == id) return &row;
  return nullptr;
}

std::vector<Failure> run_checks(const CheckContext& ctx, CheckClass cls, bool stop_at_first) {
  std::vector<Failure> failures;
  for (const CheckRow& row : check_rows(cls)) {
    if (row.ok(ctx)) continue;
    failures.push_back({&row});
    if (stop_at_first) break;
  }
  return failures;
}

u8 dirty_group(Field f) {
  switch (f) {
    case Field::VM_ENTRY_INTR_INFO:
    case Field::VM_ENTRY_EXCEPTION_ERROR_CODE:
    case Field::VM_ENTRY_INSTRUCTION_LEN:
      return dirty::kInjection;
    case Field::GUEST_RIP:
    case Field::GUEST_RSP:
      return dirty::kRip;
    case Field::GUEST_INTERRUPTIBILITY_INFO:
    case Field::GUEST_ACTIVITY_STATE:
    case Field::GUEST_PENDING_DBG_EXCEPTIONS:
      return dirty::kNextInsn;
    default:
      break;
  }
  switch (type_of(f)) {
    case FieldType::Control:
      return dirty::kControls;
    case FieldType::Host:
      return dirty::kHost;
    case FieldType::Guest:
      return dirty::kGuest;
    case FieldType::ReadOnly:
      return 0;
  }
  return dirty::kAll;
}

const CheckRow* first_failure(const CheckContext& ctx, CheckClass cls, u8 set) {
  static const Plans plans;
  for (const CheckRow* row : plans.of(cls, set))
    if (!row->ok(ctx)) return row;
  return nullptr;
}

std::string failure_report(std::string_view instruction, const CheckContext& ctx, CheckClass cls) {
  const std::vector<Failure> failures = run_checks(ctx, cls, false);
  if (failures.empty()) return {};
  std::string text(instruction);
  text += ": VM entry failed: ";
  text += kClassNames[static_cast<unsigned>(cls)];
  text += ", " + std::to_string(failures.size()) + " check(s) failed; > marks the first\n";
  for (std::size_t i = 0; i < failures.size(); ++i) {
    const CheckRow& row = *failures[i].row;
    text += i == 0 ? "> " : "  ";
    text += row.id;
    text += " (SDM 3C ";
    text += row.section;
    text += ")\n";
    append_fields(text, ctx, row);
    append_rule(text, ctx, row);
  }
  return text;
}

bool valid_pat(u64 value) {
  for (unsigned i = 0; i < 8; ++i, value >>= 8) {
    const u64 type = value & 0xff;
    if (type > 7 || type == 2 || type == 3) return false;
  }
  return true;
}

std::string hex(u64 value) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string must_bits(u64 one, u64 may_be_one) {
  return "bits " + hex(one) + " must be 1, bits outside " + hex(may_be_one) + " must be 0";
}

}  // namespace softvt::vmx
