// Runs cases in softvt: 64-bit mode at CPL 3, with pages of the same addresses and permissions.
#pragma once
#include <memory>

#include "cpu/cpu.h"
#include "cpu/rows.h"
#include "tests/host_oracle/case.h"

namespace softvt::oracle {

class SoftvtRunner {
 public:
  SoftvtRunner();
  ~SoftvtRunner();

  const InstructionSet& instructions() const;
  // A processor with all features that the host reports and softvt knows.
  const Cpu& cpu() const;
  void run(const Case& c, Outcome& out);

 private:
  struct Board;
  std::unique_ptr<Board> board_;
};

// What CPUID of the host reports, among the features that softvt knows.
FeatureSet host_features();

}  // namespace softvt::oracle
