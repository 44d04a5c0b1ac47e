// Hardware task switches. SDM 3A chapter 8 "Task Management".
#pragma once
#include "cpu/seg/descriptor.h"

namespace softvt {

// The numbers are those of the exit qualification. SDM 3C 28.2.1, table 28-2.
enum class TaskSource : u8 { Call = 0, Iret = 1, Jump = 2, Gate = 3 };

struct TaskRequest {
  TaskSource source = TaskSource::Jump;
  u16 selector = 0;        // of the new task's TSS
  u64 return_ip = 0;       // EIP saved in the old task
  u64 saved_flags_or = 0;  // bits set in the EFLAGS image of the old task: RF for faults
  bool has_error = false;  // an exception's error code goes onto the new task's stack
  u32 error = 0;
};

enum class TaskOutcome : u8 { Done, Fault, VmExit };

// Checks the TSS that the selector names, lets VMX or SVM intercept, and switches. A fault that is
// found before the switch commits leaves the old task as it was; later ones belong to the new task:
// cpu.rip is then its EIP. SDM 3A 8.3 "Task Switching".
TaskOutcome switch_task(Cpu& cpu, const TaskRequest& request);

}  // namespace softvt
