// softvt path --accel bare: the guest is a hypervisor. What the processor does at its guest's
// hypercalls is watched at VM exits and VM entries.
#pragma once
#include "machine/machine.h"
#include "trace/path_events.h"

namespace softvt::cli {

// Attaches to every vcpu; `sink` must outlive the machine's run.
void observe_bare(Machine& machine, trace::PathSink& sink);

}  // namespace softvt::cli
