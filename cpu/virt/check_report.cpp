#include "cpu/virt/check_report.h"

#include <cstdio>

namespace softvt {
namespace {

std::string hexadecimal(u64 value, unsigned bits) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%0*llx", static_cast<int>((bits + 3) / 4),
                static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

std::string format_failure(const CheckFailure& failure, std::string_view indent) {
  std::string out;
  out.append(failure.id).append(": ").append(failure.message);
  out.append(" (").append(failure.section).append(")\n");
  if (failure.field_count != 0) {
    out.append(indent);
    for (std::size_t i = 0; i < failure.field_count; ++i) {
      const CheckedField& field = failure.fields[i];
      if (i != 0) out.append(", ");
      out.append(field.name).append(" = ").append(hexadecimal(field.value, field.bits));
    }
    out.append("\n");
  }
  if (!failure.allowed.empty())
    out.append(indent).append("allowed: ").append(failure.allowed).append("\n");
  return out;
}

std::string CheckReport::text(std::string_view what) const {
  std::string out(what);
  if (failures_.empty()) return out.append(": all checks hold\n");
  out.append(": ").append(std::to_string(failures_.size()));
  out.append(failures_.size() == 1 ? " check does not hold\n" : " checks do not hold\n");
  for (std::size_t i = 0; i < failures_.size(); ++i)
    out.append(i == 0 ? "-> " : "   ").append(format_failure(failures_[i], "     "));
  return out;
}

}  // namespace softvt
