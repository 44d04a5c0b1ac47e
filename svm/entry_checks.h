// The consistency checks of VMRUN: one row a rule. Entry, its failure report, the documentation and
// the negative tests come from these rows.
// APM 2 15.5.1 "Basic Operation", "Canonicalization and Consistency Checks".
#pragma once
#include <array>
#include <span>
#include <string_view>

#include "cpu/cpu.h"
#include "cpu/virt/check_report.h"
#include "svm/vmcb_fields.h"

namespace softvt::svm {

// Bits of CR4 and EFER that the features allow; they are worked out once a processor.
struct AllowedBits {
  u64 cr4 = 0;
  u64 efer = 0;
};
AllowedBits allowed_bits(const Cpu& cpu);

// What a rule may look at: the VMCB, and the processor that executes VMRUN (host state).
struct CheckContext {
  CheckContext(Vmcb v, const Cpu& host) : CheckContext(v, host, allowed_bits(host)) {}
  CheckContext(Vmcb v, const Cpu& host, const AllowedBits& bits)
      : vmcb(v), cpu(host), allowed(bits) {}

  Vmcb vmcb;
  const Cpu& cpu;
  AllowedBits allowed;
};

// A VMCB that breaks exactly this rule is a valid long-mode one with these fields changed.
struct Counterexample {
  struct Change {
    Field field = Field::Count;
    u64 clear = 0;  // bits to clear, then
    u64 set = 0;    // bits to set
  };
  std::array<Change, 4> changes{};
  bool host_without_paging = false;
};

struct CheckRow {
  std::string_view id;  // stable
  std::string_view section;
  std::string_view message;
  std::string_view allowed;
  std::array<Field, 4> fields;  // unused ones are Field::Count
  bool (*holds)(const CheckContext&);
  Counterexample counterexample;
};

std::span<const CheckRow> check_rows();

// All rules, fast; the report is made only where one fails.
bool checks_hold(const CheckContext& context);
void report_checks(const CheckContext& context, CheckReport& report);

}  // namespace softvt::svm
