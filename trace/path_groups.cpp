#include "trace/path_groups.h"

#include <algorithm>
#include <utility>

namespace softvt::trace {

PathGroup& PathGroups::open(u32 vcpu) {
  for (Pending& pending : pending_) {
    if (pending.vcpu == vcpu) return pending.group;
  }
  return pending_.emplace_back(Pending{vcpu, {}}).group;
}

void PathGroups::close(u32 vcpu) {
  const auto found = std::find_if(pending_.begin(), pending_.end(),
                                  [&](const Pending& p) { return p.vcpu == vcpu; });
  if (found == pending_.end()) return;
  PathGroup group = std::move(found->group);
  pending_.erase(found);
  const bool hypercall = group.kind == PathGroup::Kind::Hypercall;
  if (hypercall) group.number = ++hypercalls_;
  const bool dropped = (group.kind == PathGroup::Kind::OtherExit && !options_.all_exits) ||
                       (hypercall && hypercalls_ > options_.most_hypercalls);
  if (!dropped) done_(group);
  release_console();
}

bool PathGroups::hypercall_open() const {
  return std::any_of(pending_.begin(), pending_.end(),
                     [](const Pending& p) { return p.group.kind == PathGroup::Kind::Hypercall; });
}

void PathGroups::release_console() {
  if (hypercall_open()) return;
  for (const PathGroup& line : std::exchange(held_, {})) done_(line);
}

void PathGroups::console(const PathEvent& event) {
  PathGroup line;
  line.kind = PathGroup::Kind::Console;
  line.stations.push_back(event);
  held_.push_back(std::move(line));
  release_console();
}

void PathGroups::station(const PathEvent& event) {
  if (std::holds_alternative<Console>(event.station)) return console(event);
  const bool entry = std::holds_alternative<VmEntry>(event.station);
  const bool first = std::none_of(pending_.begin(), pending_.end(),
                                  [&](const Pending& p) { return p.vcpu == event.vcpu; });
  if (entry && first) return;  // the first entry of all: nothing led to it
  PathGroup& group = open(event.vcpu);
  group.stations.push_back(event);
  // Under a hypervisor of the guest's own, what it does about the hypercall is its affair.
  const bool handed_over = std::holds_alternative<HostEntry>(event.station) &&
                           std::holds_alternative<GuestInstruction>(group.stations.front().station);
  if (std::holds_alternative<Hypercall>(event.station) || handed_over) {
    group.kind = PathGroup::Kind::Hypercall;
  } else if (std::holds_alternative<Rewrite>(event.station)) {
    group.kind = PathGroup::Kind::Rewrite;
  }
  if (entry) close(event.vcpu);
}

void PathGroups::finish() {
  while (!pending_.empty()) close(pending_.front().vcpu);
  release_console();
}

}  // namespace softvt::trace
