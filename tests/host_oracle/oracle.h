// Runs cases on both processors and collects what differs.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "tests/host_oracle/compare.h"
#include "tests/host_oracle/native_runner.h"
#include "tests/host_oracle/softvt_runner.h"

namespace softvt::oracle {

// Differences of one kind: the same mnemonic and the same parts of the state.
struct DifferenceGroup {
  unsigned count = 0;
  std::string example;  // a replayable case, as small as it could be made
  std::vector<Difference> differences;
};

class Oracle {
 public:
  const std::string& unavailable() const { return native_.unavailable(); }
  const InstructionSet& instructions() const { return softvt_.instructions(); }
  const Cpu& cpu() const { return softvt_.cpu(); }

  // Queues a case; runs the queue when it is long enough.
  void add(const Case& c);
  void flush();
  // Runs one case at once.
  std::vector<Difference> check(const Case& c);

  u64 cases() const { return cases_; }
  u64 faults() const { return faults_; }
  u64 different() const { return different_; }
  unsigned restarts() const { return native_.restarts(); }
  const std::map<std::string, DifferenceGroup>& groups() const { return groups_; }

 private:
  void note(const Case& c, const DecodedBytes& d, std::vector<Difference> differences);
  // Clears state that the difference does not need.
  Case minimise(const Case& c, const std::string& kind);

  NativeRunner native_;
  SoftvtRunner softvt_;
  std::vector<Case> queue_;
  std::vector<Outcome> outcomes_{NativeRunner::kBatch};
  Outcome softvt_outcome_;
  std::map<std::string, DifferenceGroup> groups_;
  u64 cases_ = 0, faults_ = 0, different_ = 0;
};

// One line a difference, and the case.
std::string describe(const std::string& name, const DifferenceGroup& group);

}  // namespace softvt::oracle
