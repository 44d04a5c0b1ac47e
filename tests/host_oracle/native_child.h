// The child process of NativeRunner.
#pragma once
#include "tests/host_oracle/native_runner.h"

namespace softvt::oracle {

// What parent and child share: the batch, and how far it is.
struct NativeRunner::Shared {
  volatile u32 next = 0;  // the case that runs
  volatile u32 count = 0;
  std::array<Case, kBatch> cases;
  std::array<Outcome, kBatch> outcomes;
};

// Writable views of the pages that the cases see.
struct Views {
  u8* code;
  u8* memory;
};

// Executes batches as they are announced on `channel`; returns if it cannot.
void child_main(NativeRunner::Shared& shared, Views views, int channel);

}  // namespace softvt::oracle
