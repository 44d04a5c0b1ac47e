#include "cpu/seg/task_state.h"

#include "cpu/access.h"
#include "cpu/seg/descriptor.h"

namespace softvt {

namespace {

// Offsets of the fields in both formats.
struct Layout {
  unsigned size;
  unsigned word;  // bytes of EIP, EFLAGS and the general registers
  unsigned ip;    // EIP, EFLAGS and the eight registers follow each other
  unsigned segments;
  unsigned segment_step;
  unsigned segment_count;
  unsigned ldt;
};
constexpr Layout kWide{104, 4, 0x20, 0x48, 4, 6, 0x60};
constexpr Layout kNarrow{44, 2, 0x0e, 0x22, 2, 4, 0x2a};
constexpr unsigned kCr3 = 0x1c;
constexpr unsigned kTrapFlag = 0x64;

const Layout& layout_of(const TssLocation& tss) { return tss.wide ? kWide : kNarrow; }

u64 at(const Cpu& cpu, const TssLocation& tss, unsigned offset) {
  return table_address(cpu, tss.base + offset);
}

}  // namespace

bool read_task_state(Cpu& cpu, const TssLocation& tss, TaskState& out) {
  const Layout& layout = layout_of(tss);
  u8 image[104] = {};
  if (!read_system(cpu, at(cpu, tss, 0), image, layout.size)) return false;
  const auto word = [&](unsigned index) {
    u32 value = 0;
    __builtin_memcpy(&value, image + layout.ip + index * layout.word, layout.word);
    return value;
  };
  const auto half = [&](unsigned offset) {
    u16 value;
    __builtin_memcpy(&value, image + offset, 2);
    return value;
  };
  out = TaskState{};
  out.ip = word(0);
  out.flags = word(1);
  for (unsigned i = 0; i < 8; ++i) out.gpr[i] = word(2 + i);
  for (unsigned i = 0; i < layout.segment_count; ++i) {
    out.segments[i] = half(layout.segments + i * layout.segment_step);
  }
  out.ldt = half(layout.ldt);
  if (tss.wide) {
    __builtin_memcpy(&out.cr3, image + kCr3, 4);
    out.trap = (image[kTrapFlag] & 1) != 0;
  }
  return true;
}

bool probe_task_state(Cpu& cpu, const TssLocation& tss) {
  return probe_write_system(cpu, at(cpu, tss, 0), layout_of(tss).size);
}

bool write_task_state(Cpu& cpu, const TssLocation& tss, const TaskState& state) {
  const Layout& layout = layout_of(tss);
  u8 image[40];
  const auto put = [&](unsigned index, u32 value) {
    __builtin_memcpy(image + index * layout.word, &value, layout.word);
  };
  put(0, state.ip);
  put(1, state.flags);
  for (unsigned i = 0; i < 8; ++i) put(2 + i, state.gpr[i]);
  if (!write_system(cpu, at(cpu, tss, layout.ip), image, 10 * layout.word)) return false;
  for (unsigned i = 0; i < layout.segment_count; ++i) {
    const u64 linear = at(cpu, tss, layout.segments + i * layout.segment_step);
    if (!write_system(cpu, linear, &state.segments[i], 2)) return false;
  }
  return true;
}

bool write_task_link(Cpu& cpu, const TssLocation& tss, u16 selector) {
  return write_system(cpu, at(cpu, tss, 0), &selector, 2);
}

}  // namespace softvt
