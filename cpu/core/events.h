// Events at instruction boundaries, in the order of the manual's priorities.
#pragma once
#include "cpu/cpu.h"

namespace softvt {

enum class Boundary : u8 {
  Run,      // nothing is due: execute
  Again,    // an event was delivered or an exit taken: RIP changed
  Waiting,  // the activity state forbids execution
};

// Looks at every source of events. SDM 3A 6.9, table 6-2 "Priority Among Concurrent Events".
Boundary take_events(Cpu& cpu);

// Delivers `event`; false if the processor went into shutdown.
bool deliver_event(Cpu& cpu, const Event& event);

// True if the next instruction must be executed alone: TF, instruction breakpoints, a shadow with
// an event behind it.
bool needs_single_step(const Cpu& cpu);

}  // namespace softvt
