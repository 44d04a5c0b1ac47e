// The path of a hypercall as text and JSON.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/kvm/tiny_guest.h"
#include "trace/format.h"
#include "trace/path_json.h"
#include "trace/path_text.h"

namespace softvt::kvm {
namespace {

// Accepts RFC 8259 JSON and nothing else.
class JsonReader {
 public:
  explicit JsonReader(const std::string& text) : text_(text) {}
  bool whole() {
    const bool ok = value();
    space();
    return ok && at_ == text_.size();
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void space() {
    while (peek() == ' ' || peek() == '\n') ++at_;
  }
  bool take(char c) {
    space();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool string() {
    if (!take('"')) return false;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      if (text_[at_] == '\\') ++at_;
    }
    return at_++ < text_.size();
  }
  bool list(char end, bool members) {
    if (take(end)) return true;
    do {
      if (members && (!string() || !take(':'))) return false;
      if (!value()) return false;
    } while (take(','));
    return take(end);
  }
  bool value() {
    space();
    if (take('{')) return list('}', true);
    if (take('[')) return list(']', false);
    if (peek() == '"') return string();
    const size_t start = at_;
    while (isalnum(static_cast<unsigned char>(peek())) || peek() == '-') ++at_;
    const std::string word = text_.substr(start, at_ - start);
    return word == "true" || word == "false" ||
           word.find_first_not_of("-0123456789") == std::string::npos;
  }

  const std::string& text_;
  size_t at_ = 0;
};

std::string name_of(u64 address) { return address == kCodeAt + 5 ? "call_here" : ""; }

class PathOutput : public EachVendor {
 protected:
  // One hypercall with an unknown number.
  std::vector<trace::PathGroup> run() {
    TinyGuest guest(GetParam());
    guest.start_long(join({{0xb8, 0xad, 0xde, 0, 0}, own(GetParam()), {0x90, 0xf4}}));
    guest.run_to_halt();
    std::vector<trace::PathGroup> groups;
    trace::PathGroups gather({}, [&](const trace::PathGroup& g) { groups.push_back(g); });
    for (const trace::PathEvent& event : guest.path.events) gather.station(event);
    gather.finish();
    return groups;
  }
};

TEST_P(PathOutput, TextHasEveryStation) {
  std::ostringstream out;
  trace::PathText text(out, name_of);
  const auto groups = run();
  ASSERT_EQ(groups.size(), 1u);
  text.print(groups[0]);
  for (const char* part : {"hypercall 1:", "guest ", "<call_here>", "VM exit", "dispatch",
                           "handle_hypercall()", "number 0xdead (unknown)", "CPL 0: allowed",
                           "result -1000 -KVM_ENOSYS", "write back", "VM entry"}) {
    EXPECT_NE(out.str().find(part), std::string::npos) << part << "\n" << out.str();
  }
}

TEST_P(PathOutput, JsonIsWellFormed) {
  std::ostringstream out;
  trace::PathJson json(out, name_of);
  json.begin("vmx", "max-intel", "a \"name\"\n");
  for (const auto& group : run()) json.print(group);
  json.end(1, 10, "done", 0);
  const std::string text = out.str();
  EXPECT_TRUE(JsonReader(text).whole()) << text;
  EXPECT_NE(text.find("\"station\": \"hypercall\""), std::string::npos);
}

TEST_P(PathOutput, TheSameTwice) {
  std::ostringstream first, second;
  for (std::ostringstream* out : {&first, &second}) {
    trace::PathText text(*out, name_of);
    for (const auto& group : run()) text.print(group);
  }
  EXPECT_EQ(first.str(), second.str());
}

TEST(Format, JsonStringsEscape) {
  EXPECT_EQ(trace::json_string("a\"\\\n\x80"), "\"a\\\"\\\\\\u000a\\u0080\"");
}

TEST(PathGroups, LimitAndOtherExits) {
  std::vector<trace::PathGroup::Kind> kinds;
  trace::PathGroups gather({.all_exits = false, .most_hypercalls = 1},
                           [&](const trace::PathGroup& g) { kinds.push_back(g.kind); });
  for (int i = 0; i < 3; ++i) {
    gather.station({0, 0, trace::VmExit{}});
    if (i < 2) gather.station({0, 0, trace::Hypercall{}});
    gather.station({0, 0, trace::VmEntry{}});
  }
  EXPECT_EQ(kinds.size(), 1u);
  EXPECT_EQ(gather.hypercalls(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Vendors, PathOutput, ::testing::Values(Vendor::Vmx, Vendor::Svm),
                         vendor_name);

}  // namespace
}  // namespace softvt::kvm
