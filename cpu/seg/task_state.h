// The task-state segment as it stands in memory. SDM 3A 8.2.1 "Task-State Segment (TSS)", 8.6
// "16-Bit Task-State Segment (TSS)".
#pragma once
#include <array>

#include "cpu/cpu.h"

namespace softvt {

constexpr u32 kTss32Limit = 0x67;
constexpr u32 kTss16Limit = 0x2b;

constexpr u32 tss_minimum_limit(bool wide) { return wide ? kTss32Limit : kTss16Limit; }

// What a task switch saves and loads. General registers and segments in their encoding order.
struct TaskState {
  u32 cr3 = 0;
  u32 ip = 0;
  u32 flags = 0;
  std::array<u32, 8> gpr{};
  std::array<u16, 6> segments{};  // ES CS SS DS FS GS
  u16 ldt = 0;
  bool trap = false;  // T: debug trap behind the switch
};

// Linear base and width of a TSS.
struct TssLocation {
  u64 base = 0;
  bool wide = true;
};

bool read_task_state(Cpu& cpu, const TssLocation& tss, TaskState& out);
// Writes the fields that a switch saves; all of them can be written if probe_task_state() said so.
bool probe_task_state(Cpu& cpu, const TssLocation& tss);
bool write_task_state(Cpu& cpu, const TssLocation& tss, const TaskState& state);
bool write_task_link(Cpu& cpu, const TssLocation& tss, u16 selector);

}  // namespace softvt
