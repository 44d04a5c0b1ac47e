// Memory as instructions see it: segmentation, paging, permissions. Everything here may post a
// fault; a false return means "a fault is posted, return Step::Fault".
#pragma once
#include "cpu/cpu.h"

namespace softvt {

enum class Access : u8 { Read, Write, Execute, ReadWrite };

// Linear address of the memory operand of `in`, `size` bytes wide: effective address, segment type,
// limit and canonical checks (#GP, #SS). SDM 3A 5.3 "Limit Checking", SDM 1 3.3.7.1.
bool operand_address(Cpu& cpu, const Insn& in, unsigned size, Access access, u64& linear);

// The effective address alone (LEA), truncated to the address size.
u64 effective_address(const Cpu& cpu, const Insn& in);

// Checks segment:offset for an access of `size` bytes and gives the linear address.
bool segment_address(Cpu& cpu, Seg seg, u64 offset, unsigned size, Access access, u64& linear);

// Access by linear address with the rights of the current CPL. Up to 4096 bytes, page crossing
// allowed; a write that faults on its second page has not written the first. Alignment (#AC) is
// checked for sizes 2, 4, 8 when it is enabled.
bool read_linear(Cpu& cpu, u64 linear, void* out, unsigned size);
bool write_linear(Cpu& cpu, u64 linear, const void* in, unsigned size);
// True if a write of `size` bytes would succeed now; posts the fault otherwise. After it a
// read_linear and write_linear of the same bytes cannot fail: use it before read-modify-write.
bool probe_write(Cpu& cpu, u64 linear, unsigned size);

// Implicit supervisor access: descriptor tables, TSS. SDM 3A 4.6.1.
bool read_system(Cpu& cpu, u64 linear, void* out, unsigned size);
bool write_system(Cpu& cpu, u64 linear, const void* in, unsigned size);
bool probe_write_system(Cpu& cpu, u64 linear, unsigned size);

// Access with the rights of another privilege level: stack frames pushed on delivery.
bool read_as(Cpu& cpu, unsigned cpl, u64 linear, void* out, unsigned size);
bool write_as(Cpu& cpu, unsigned cpl, u64 linear, const void* in, unsigned size);

template <class T>
bool load_operand(Cpu& cpu, const Insn& in, T& out) {
  u64 linear;
  return operand_address(cpu, in, sizeof(T), Access::Read, linear) &&
         read_linear(cpu, linear, &out, sizeof(T));
}
template <class T>
bool store_operand(Cpu& cpu, const Insn& in, const T& value) {
  u64 linear;
  return operand_address(cpu, in, sizeof(T), Access::Write, linear) &&
         write_linear(cpu, linear, &value, sizeof(T));
}

// Stack helpers with the stack size of SS.B / 64-bit mode; `size` is 2, 4 or 8. They change RSP
// only on success.
bool push(Cpu& cpu, u64 value, unsigned size);
bool pop(Cpu& cpu, u64& value, unsigned size);
unsigned stack_size(const Cpu& cpu);          // 2, 4 or 8
u64 stack_pointer(const Cpu& cpu);            // RSP truncated to the stack size
void set_stack_pointer(Cpu& cpu, u64 value);  // keeps the upper bits for 16-bit stacks

bool canonical(const Cpu& cpu, u64 linear);  // 48 or 57 bits by CR4.LA57
// What goes into a register that holds an address (MSRs, segment and table bases) or names one to
// invalidate may have as many bits as the processor has, whatever CR4.LA57 says; SDM 3C 27.2.2 has
// the same rule for VM entries.
inline bool canonical_for_register(const Cpu& cpu, u64 linear) {
  const unsigned shift = cpu.has(Feature::La57) ? 7 : 16;
  return static_cast<u64>(static_cast<i64>(linear << shift) >> shift) == linear;
}

}  // namespace softvt
