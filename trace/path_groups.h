// Gathers stations into ways: from a guest instruction to the VM entry that ends its hypercall. VM
// exits for other reasons are dropped unless all are wanted.
#pragma once
#include <functional>
#include <vector>

#include "trace/path_events.h"

namespace softvt::trace {

struct PathGroup {
  enum class Kind : u8 { Hypercall, Rewrite, OtherExit, Console } kind = Kind::OtherExit;
  u64 number = 0;  // from 1: counts the hypercalls, all vcpus together
  std::vector<PathEvent> stations;
};

class PathGroups : public PathSink {
 public:
  struct Options {
    bool all_exits = false;
    u64 most_hypercalls = ~u64{0};
  };
  PathGroups(const Options& options, std::function<void(const PathGroup&)> done)
      : options_(options), done_(std::move(done)) {}

  void station(const PathEvent& event) override;
  // What has not met its VM entry.
  void finish();
  u64 hypercalls() const { return hypercalls_; }

 private:
  struct Pending {
    u32 vcpu;
    PathGroup group;
  };
  PathGroup& open(u32 vcpu);
  void close(u32 vcpu);
  void console(const PathEvent& event);
  bool hypercall_open() const;
  void release_console();

  Options options_;
  std::function<void(const PathGroup&)> done_;
  std::vector<Pending> pending_;
  // Lines printed while a hypercall is on its way come behind it: they may be its doing.
  std::vector<PathGroup> held_;
  u64 hypercalls_ = 0;
};

}  // namespace softvt::trace
