#include "tests/host_oracle/oracle.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/host_oracle/case_text.h"

namespace softvt::oracle {
namespace {

constexpr u8 kBreakpoint = 3, kDebug = 1;

// Registers of one file are the same kind.
std::string kind_of(const std::vector<Difference>& differences) {
  std::set<std::string> kinds;
  for (const Difference& d : differences) {
    if (d.where.starts_with("xmm")) {
      kinds.insert("xmm");
    } else if (d.where.starts_with("st")) {
      kinds.insert("st");
    } else if (d.where.starts_with("r") && d.where != "rip") {
      kinds.insert("gpr");
    } else if (d.where.starts_with("memory")) {
      kinds.insert("memory");
    } else if (d.where == "vector") {
      kinds.insert("vector " + d.native + "/" + d.softvt);
    } else {
      kinds.insert(d.where);
    }
  }
  std::string all;
  for (const std::string& k : kinds) all += (all.empty() ? "" : ", ") + k;
  return all;
}

}  // namespace

void Oracle::add(const Case& c) {
  queue_.push_back(c);
  if (queue_.size() == NativeRunner::kBatch) flush();
}

void Oracle::flush() {
  if (queue_.empty() || !native_.unavailable().empty()) return;
  native_.run(queue_, outcomes_);
  const std::vector<Case> batch = std::move(queue_);
  queue_.clear();
  const std::vector<Outcome> native(outcomes_.begin(),
                                    outcomes_.begin() + static_cast<std::ptrdiff_t>(batch.size()));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    ++cases_;
    DecodedBytes d{};
    decode_bytes(batch[i].code.data(), batch[i].code_size, batch[i].compat, d);
    softvt_.run(batch[i], softvt_outcome_);
    faults_ += native[i].vector != kBreakpoint && native[i].vector != kDebug;
    auto differences = compare(batch[i], d, native[i], softvt_outcome_);
    if (!differences.empty()) note(batch[i], d, std::move(differences));
  }
}

std::vector<Difference> Oracle::check(const Case& c) {
  if (!native_.unavailable().empty()) return {};
  native_.run({&c, 1}, outcomes_);
  softvt_.run(c, softvt_outcome_);
  DecodedBytes d{};
  decode_bytes(c.code.data(), c.code_size, c.compat, d);
  return compare(c, d, outcomes_[0], softvt_outcome_);
}

void Oracle::note(const Case& c, const DecodedBytes& d, std::vector<Difference> differences) {
  ++different_;
  const std::string kind = kind_of(differences);
  DifferenceGroup& group = groups_[std::string(c.compat ? "32-bit " : "") +
                                   ZydisMnemonicGetString(d.z.mnemonic) + " [" + kind + "]"];
  if (group.count++ != 0) return;
  const Case smallest = minimise(c, kind);
  group.example = to_text(smallest);
  group.differences = check(smallest);
  if (group.differences.empty()) group.differences = std::move(differences);
}

Case Oracle::minimise(const Case& c, const std::string& kind) {
  Case best = c;
  const auto attempt = [&](auto change) {
    Case smaller = best;
    change(smaller);
    if (kind_of(check(smaller)) == kind) best = smaller;
  };
  for (unsigned i = 0; i < 16; ++i) {
    attempt([&](Case& s) { std::fill_n(s.fx.begin() + kFxXmm + i * kFxStride, kFxStride, u8{0}); });
    attempt([&](Case& s) { s.gpr[i] = 0; });
  }
  for (unsigned i = 0; i < 8; ++i) {
    attempt([&](Case& s) { std::fill_n(s.fx.begin() + kFxSt + i * kFxStride, kFxStride, u8{0}); });
  }
  const Case plain;
  attempt([&](Case& s) { std::copy_n(plain.fx.begin(), kFxMxcsr, s.fx.begin()); });
  attempt([&](Case& s) { fx_put<u32>(s.fx, kFxMxcsr, 0x1f80); });
  attempt([&](Case& s) { s.flags = kDefaultFlags; });
  for (unsigned i = 0; i < c.patch_count; ++i) {
    attempt([&](Case& s) {
      if (s.patch_count != 0) --s.patch_count;
    });
  }
  return best;
}

std::string describe(const std::string& name, const DifferenceGroup& group) {
  std::ostringstream s;
  s << name << ": " << group.count << " case(s)\n  --case '" << group.example << "'\n";
  for (const Difference& d : group.differences) {
    s << "    " << d.where << ": host " << d.native << ", softvt " << d.softvt << '\n';
  }
  return s.str();
}

}  // namespace softvt::oracle
