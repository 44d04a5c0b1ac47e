// What a VM entry reports when its checks fail: every rule that does not hold, with the fields it
// looked at and what it would have allowed. Neutral of the vendor; vmx/ and svm/ fill it from the
// rows of their check tables.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/types.h"

namespace softvt {

// A field that a rule looked at. Names and texts live in constant tables.
struct CheckedField {
  std::string_view name;
  u64 value = 0;
  unsigned bits = 64;  // width, for printing
};

constexpr std::size_t kMaxCheckedFields = 6;

struct CheckFailure {
  std::string_view id;       // stable: "svm.cr0-nw-without-cd"
  std::string_view section;  // of the manual: "APM 2 15.5.1"
  std::string_view message;  // what is wrong
  std::string_view allowed;  // what would have been right
  std::array<CheckedField, kMaxCheckedFields> fields;
  std::size_t field_count = 0;

  void add(std::string_view name, u64 value, unsigned bits = 64) {
    if (field_count < fields.size()) fields[field_count++] = {name, value, bits};
  }
};

// The failures of one VM entry, in the order in which the processor would find them.
class CheckReport {
 public:
  void clear() { failures_.clear(); }
  void add(const CheckFailure& failure) { failures_.push_back(failure); }
  bool ok() const { return failures_.empty(); }
  const std::vector<CheckFailure>& failures() const { return failures_; }
  // The one that decides the outcome; null if all checks hold.
  const CheckFailure* first() const { return failures_.empty() ? nullptr : &failures_.front(); }

  // `what` names the instruction: "VMRUN: #VMEXIT(VMEXIT_INVALID)". The first failure is marked
  // with an arrow. Lines end with '\n'.
  std::string text(std::string_view what) const;

 private:
  std::vector<CheckFailure> failures_;
};

// One failure in up to three lines, each behind `indent`.
std::string format_failure(const CheckFailure& failure, std::string_view indent);

}  // namespace softvt
