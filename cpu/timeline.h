// Virtual time and the events that wait for it.
//
// Virtual time is the number of retired instructions times kNanosPerInsn, so it depends on nothing
// of the host. While a vcpu runs, `now()` includes the instructions that it has retired so far in
// its present slice; the vcpu reports them through `Timeline::set_now` before anything can look.
#pragma once
#include <functional>
#include <set>
#include <utility>

#include "cpu/types.h"

namespace softvt {

constexpr u64 kNanosPerInsn = 1;
constexpr u64 kNever = ~u64{0};

class Timeline {
 public:
  using Callback = std::function<void()>;

  // One timer of a device. Re-arming replaces the earlier date. Ties fire in order of arming.
  class Timer {
   public:
    Timer(Timeline& timeline, Callback callback)
        : timeline_(timeline), callback_(std::move(callback)) {}
    ~Timer() { cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void arm(u64 at_ns) { timeline_.arm(*this, at_ns); }
    void cancel() { timeline_.cancel(*this); }
    bool armed() const { return at_ != kNever; }
    u64 at() const { return at_; }

   private:
    friend class Timeline;
    Timeline& timeline_;
    Callback callback_;
    u64 at_ = kNever;
    u64 order_ = 0;
  };

  // Nanoseconds of virtual time since power-on.
  u64 now() const { return now_; }
  void set_now(u64 now_ns) {
    if (now_ns > now_) now_ = now_ns;
  }

  // Date of the earliest armed timer, kNever if there is none.
  u64 next_event() const { return queue_.empty() ? kNever : queue_.begin()->at; }

  // Fires every timer whose date has come, in order of date.
  void fire_due() {
    while (!queue_.empty() && queue_.begin()->at <= now_) {
      Timer* timer = queue_.begin()->timer;
      cancel(*timer);
      timer->callback_();
    }
  }

  // Called when an event earlier than all others was armed: the running vcpu must shorten its
  // slice.
  void on_earlier_event(Callback callback) { earlier_ = std::move(callback); }

 private:
  struct Entry {
    u64 at;
    u64 order;
    Timer* timer;
    bool operator<(const Entry& other) const {
      return at != other.at ? at < other.at : order < other.order;
    }
  };

  void arm(Timer& timer, u64 at_ns) {
    cancel(timer);
    if (at_ns == kNever) return;
    const bool earlier = at_ns < next_event();
    timer.at_ = at_ns;
    timer.order_ = ++order_;
    queue_.insert({at_ns, timer.order_, &timer});
    if (earlier && earlier_) earlier_();
  }
  void cancel(Timer& timer) {
    if (timer.at_ == kNever) return;
    queue_.erase({timer.at_, timer.order_, &timer});
    timer.at_ = kNever;
  }

  u64 now_ = 0;
  u64 order_ = 0;
  std::set<Entry> queue_;
  Callback earlier_;
};

}  // namespace softvt
