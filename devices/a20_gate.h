// The A20 mask of a PC. The keyboard controller and system control port A each hold one input of
// an OR gate; address bit 20 passes while either is high.
#pragma once
#include <functional>
#include <utility>

#include "cpu/types.h"

namespace softvt {

class A20Gate {
 public:
  enum class Source { kKeyboardController, kPortA };

  // `on_change` hears the new state of the gate, never the same state twice.
  explicit A20Gate(std::function<void(bool open)> on_change = {})
      : on_change_(std::move(on_change)) {}

  void set(Source source, bool level) {
    const bool before = open();
    (source == Source::kPortA ? port_a_ : keyboard_) = level;
    if (open() != before && on_change_) on_change_(open());
  }
  bool get(Source source) const { return source == Source::kPortA ? port_a_ : keyboard_; }
  bool open() const { return keyboard_ || port_a_; }
  // The keyboard controller's output port powers up with the gate open.
  void reset() {
    set(Source::kKeyboardController, true);
    set(Source::kPortA, false);
  }

 private:
  bool keyboard_ = true;
  bool port_a_ = false;
  std::function<void(bool)> on_change_;
};

}  // namespace softvt
