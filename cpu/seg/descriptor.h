// Descriptors as they stand in memory, and fetching them from the GDT and the LDT.
// SDM 3A 3.4.5 "Segment Descriptors", 3.5 "System Descriptor Types".
#pragma once
#include "cpu/cpu.h"

namespace softvt {

// SDM 3A 3.5, table 3-2 "System-Segment and Gate-Descriptor Types".
enum class SystemType : u8 {
  Tss16Available = 1,
  Ldt = 2,
  Tss16Busy = 3,
  CallGate16 = 4,
  TaskGate = 5,
  InterruptGate16 = 6,
  TrapGate16 = 7,
  Tss32Available = 9,
  Tss32Busy = 11,
  CallGate32 = 12,
  InterruptGate32 = 14,
  TrapGate32 = 15,
};

// One descriptor. `high` is the second half of the 16-byte forms of IA-32e mode, 0 otherwise.
struct Descriptor {
  u64 low = 0;
  u64 high = 0;
  u64 linear = 0;  // where it stands; needed to set the accessed and busy bits

  u32 rights() const { return static_cast<u32>(low >> 40) & 0xf0ff; }
  bool system() const { return (rights() & seg_rights::S) == 0; }
  bool present() const { return (rights() & seg_rights::P) != 0; }
  unsigned dpl() const { return (rights() & seg_rights::DplMask) >> seg_rights::DplShift; }
  unsigned type() const { return rights() & seg_rights::TypeMask; }
  SystemType system_type() const { return static_cast<SystemType>(type()); }

  bool code() const { return !system() && (rights() & seg_rights::Code) != 0; }
  bool data() const { return !system() && (rights() & seg_rights::Code) == 0; }
  bool conforming() const { return code() && (rights() & seg_rights::Conforming) != 0; }
  bool readable() const { return data() || (code() && (rights() & seg_rights::Readable) != 0); }
  bool writable() const { return data() && (rights() & seg_rights::Writable) != 0; }
  bool long_code() const { return code() && (rights() & seg_rights::L) != 0; }

  bool task_state() const { return system() && (type() & 5) == 1; }
  bool busy_task() const { return task_state() && (type() & 2) != 0; }
  bool wide_task() const { return task_state() && (type() & 8) != 0; }

  // Gates. SDM 3A 5.8.3, figures 5-8 and 5-9; 6.11, figure 6-2.
  u16 gate_selector() const { return static_cast<u16>(low >> 16); }
  u64 gate_offset32() const { return (low & 0xffff) | ((low >> 32) & 0xffff0000); }
  u64 gate_offset64() const { return gate_offset32() | (high << 32); }
  unsigned gate_parameters() const { return static_cast<unsigned>(low >> 32) & 31; }
  unsigned gate_ist() const { return static_cast<unsigned>(low >> 32) & 7; }
};

// The hidden part of a segment register that is loaded with this descriptor.
constexpr Segment segment_of(u16 selector, const Descriptor& d) {
  Segment s;
  s.selector = selector;
  s.base = ((d.low >> 16) & 0xffffff) | ((d.low >> 32) & 0xff000000) | (d.high << 32);
  s.limit = static_cast<u32>((d.low & 0xffff) | ((d.low >> 32) & 0xf0000));
  s.rights = static_cast<u32>(d.low >> 40) & 0xf0ff;
  if (s.rights & seg_rights::G) s.limit = (s.limit << 12) | 0xfff;
  return s;
}

constexpr bool null_selector(u16 selector) { return (selector & 0xfffc) == 0; }
constexpr unsigned selector_rpl(u16 selector) { return selector & 3; }
constexpr bool selector_in_ldt(u16 selector) { return (selector & 4) != 0; }
// Error code that names a selector; EXT is added by event delivery. SDM 3A 6.13 "Error Code".
constexpr u32 selector_error(u16 selector) { return selector & 0xfffc; }

// Raises `vector` with the selector as its error code. Always false.
bool fail_selector(Cpu& cpu, Vector vector, u16 selector);

enum class Fetch : u8 { Found, Outside, Fault };

// Reads the 8 bytes that `selector` names. Outside: beyond the limit of its table, or no LDT.
Fetch fetch_descriptor(Cpu& cpu, u16 selector, Descriptor& out);
// The same, where a selector outside its table raises `outside`(selector).
bool fetch_descriptor_or_raise(Cpu& cpu, u16 selector, Vector outside, Descriptor& out);
// The second half of a 16-byte descriptor of IA-32e mode, with the limit check.
// SDM 3A 3.5.2 "Segment Descriptor Tables in IA-32e Mode".
Fetch fetch_second_half(Cpu& cpu, u16 selector, Descriptor& descriptor);
// The same; raises `bad`(selector) if it is outside or if its type field is not 0.
bool fetch_second_half_or_raise(Cpu& cpu, u16 selector, Vector bad, Descriptor& descriptor);

// Sets the accessed bit in memory and in `descriptor`. False: a fault is posted.
bool mark_accessed(Cpu& cpu, Descriptor& descriptor);
// Sets or clears the busy bit of a TSS descriptor in memory.
bool write_busy(Cpu& cpu, const Descriptor& descriptor, bool busy);

// Linear addresses of the system tables are 32 bits wide outside IA-32e mode.
inline u64 table_address(const Cpu& cpu, u64 linear) {
  return cpu.long_mode() ? linear : linear & 0xffffffff;
}

}  // namespace softvt
