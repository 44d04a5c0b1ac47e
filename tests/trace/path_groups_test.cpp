// How stations are gathered into ways.
#include "trace/path_groups.h"

#include <gtest/gtest.h>

namespace softvt::trace {
namespace {

class Groups : public testing::Test {
 protected:
  void tell(u64 nanos, decltype(PathEvent::station) station) {
    groups.station({nanos, 0, std::move(station)});
  }
  std::vector<PathGroup::Kind> kinds() const {
    std::vector<PathGroup::Kind> list;
    for (const PathGroup& group : done) list.push_back(group.kind);
    return list;
  }

  std::vector<PathGroup> done;
  PathGroups groups{{}, [this](const PathGroup& group) { done.push_back(group); }};
};

using Kind = PathGroup::Kind;

// A hypervisor prints what its guest asked for before it enters the guest again.
TEST_F(Groups, ConsoleOfAHypercallComesBehindIt) {
  tell(10, GuestInstruction{});
  tell(10, HostEntry{});
  tell(20, Console{"served"});
  EXPECT_TRUE(done.empty());
  tell(30, VmEntry{});
  tell(40, Console{"later"});
  EXPECT_EQ(kinds(), (std::vector{Kind::Hypercall, Kind::Console, Kind::Console}));
  EXPECT_EQ(done[0].number, 1u);
  EXPECT_EQ(std::get<Console>(done[1].stations.front().station).line, "served");
}

TEST_F(Groups, ConsoleWithoutAHypercallIsTold) {
  tell(5, Console{"boot"});
  EXPECT_EQ(kinds(), std::vector{Kind::Console});
}

TEST_F(Groups, AHypercallThatNeverReturnsIsToldAtTheEnd) {
  tell(10, GuestInstruction{});
  tell(10, HostEntry{});
  tell(20, Console{"stopping"});
  groups.finish();
  EXPECT_EQ(kinds(), (std::vector{Kind::Hypercall, Kind::Console}));
}

}  // namespace
}  // namespace softvt::trace
