// Every instruction form that runs in user mode, on the host's processor and in softvt, with edge
// and random operands: registers, flags, floating-point state, memory and exceptions must agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/host_oracle/case_text.h"
#include "tests/host_oracle/generator.h"
#include "tests/host_oracle/options.h"
#include "tests/host_oracle/oracle.h"

namespace softvt::oracle {
namespace {

constexpr unsigned kMostGroupsShown = 60;

class HostOracle : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (oracle_ != nullptr) return;
    oracle_ = new Oracle;
    forms_ = new FormList(enumerate_forms(oracle_->instructions(), host_features()));
  }
  void SetUp() override {
    if (!oracle_->unavailable().empty()) GTEST_SKIP() << "native runs: " << oracle_->unavailable();
  }

  static inline Oracle* oracle_ = nullptr;
  static inline FormList* forms_ = nullptr;
};

std::filesystem::path regressions_path() {
  return std::filesystem::path(__FILE__).parent_path() / "regressions.txt";
}

std::string list_of(const std::vector<Difference>& differences) {
  DifferenceGroup group;
  group.differences = differences;
  return describe("differences", group);
}

// --case
TEST_F(HostOracle, SingleCase) {
  if (options().single_case.empty()) GTEST_SKIP() << "no --case given";
  const auto c = parse_case(options().single_case);
  ASSERT_TRUE(c.has_value()) << "cannot read the case";
  const auto differences = oracle_->check(*c);
  EXPECT_TRUE(differences.empty()) << list_of(differences);
}

// Cases that once differed.
TEST_F(HostOracle, Regressions) {
  if (!options().single_case.empty()) GTEST_SKIP() << "--case given";
  std::ifstream file(regressions_path());
  ASSERT_TRUE(file.is_open());
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    const auto c = parse_case(line);
    ASSERT_TRUE(c.has_value()) << line;
    const auto differences = oracle_->check(*c);
    EXPECT_TRUE(differences.empty()) << line << '\n' << list_of(differences);
  }
}

// What the text of a case says is the whole case.
TEST_F(HostOracle, CasesSurviveText) {
  Random random(options().seed);
  for (const Form& form : forms_->forms) {
    Case c;
    if (!generate(form, random, c)) continue;
    const std::string text = to_text(c);
    const auto back = parse_case(text);
    ASSERT_TRUE(back.has_value()) << text;
    ASSERT_EQ(to_text(*back), text);
  }
}

TEST_F(HostOracle, ExclusionsAreNeeded) {
  for (const Exclusion& e : exclusions()) {
    const bool missing_on_host =
        !forms_->missing_features.empty() && !forms_->used_exclusions.contains(&e) &&
        oracle_->instructions().find(e.mnemonic) != nullptr &&
        !host_features().has(oracle_->instructions().find(e.mnemonic)->feature);
    EXPECT_TRUE(forms_->used_exclusions.contains(&e) || missing_on_host)
        << ZydisMnemonicGetString(e.mnemonic) << " is excluded but softvt does not execute it";
  }
}

void print_summary(const Oracle& oracle, const FormList& list, std::size_t forms, u64 unencodable) {
  std::cout << "host oracle: " << forms << " forms, " << oracle.cases() << " cases ("
            << oracle.faults() << " with a fault), " << oracle.different() << " different, "
            << oracle.restarts() << " child restarts, " << unencodable << " not encodable\n";
  for (const auto& [name, count] : list.missing_features) {
    std::cout << "host oracle: skipped " << count << " forms, the host lacks " << name << '\n';
  }
}

TEST_F(HostOracle, EveryForm) {
  if (!options().single_case.empty()) GTEST_SKIP() << "--case given";
  std::vector<Form> forms;
  for (const Form& f : forms_->forms) {
    if (options().only.empty() || options().only == ZydisMnemonicGetString(f.mnemonic))
      forms.push_back(f);
  }
  ASSERT_FALSE(forms.empty());
  if (options().list_missing) {
    for (const ZydisMnemonic m : forms_->not_executed) {
      std::cout << "not executed: " << ZydisMnemonicGetString(m) << '\n';
    }
  }
  const u64 rounds = std::max<u64>(1, (options().cases + forms.size() - 1) / forms.size());
  u64 unencodable = 0;
  for (u64 round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < forms.size(); ++i) {
      Random random(options().seed * 0x10001 + round * 0x1000003 + i * 0x9e3779b9);
      Case c;
      if (generate(forms[i], random, c)) {
        oracle_->add(c);
      } else {
        ++unencodable;
      }
    }
  }
  oracle_->flush();
  print_summary(*oracle_, *forms_, forms.size(), unencodable);
  unsigned shown = 0;
  for (const auto& [name, group] : oracle_->groups()) {
    if (shown++ < kMostGroupsShown || !options().only.empty() || options().list_missing)
      ADD_FAILURE() << describe(name, group);
  }
  EXPECT_EQ(oracle_->different(), 0u);
  EXPECT_EQ(oracle_->restarts(), 0u);
}

}  // namespace
}  // namespace softvt::oracle
