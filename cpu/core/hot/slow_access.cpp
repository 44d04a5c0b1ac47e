// Out-of-line memory accesses of the slow twins.
#include "cpu/access.h"
#include "cpu/core/hot/memory.h"

namespace softvt::hot {

bool slow_load(Cpu& cpu, const Insn* ip, unsigned size) {
  u64 linear;
  cpu.slow_value = 0;
  return operand_address(cpu, *ip, size, Access::Read, linear) &&
         read_linear(cpu, linear, &cpu.slow_value, size);
}

bool slow_store(Cpu& cpu, const Insn* ip, unsigned size, u64 value) {
  u64 linear;
  return operand_address(cpu, *ip, size, Access::Write, linear) &&
         write_linear(cpu, linear, &value, size);
}

bool slow_open(Cpu& cpu, const Insn* ip, unsigned size) {
  u64 linear;
  cpu.slow_value = 0;
  if (!operand_address(cpu, *ip, size, Access::ReadWrite, linear)) return false;
  if (!probe_write(cpu, linear, size) || !read_linear(cpu, linear, &cpu.slow_value, size)) {
    return false;
  }
  cpu.slow_linear = linear;
  return true;
}

void slow_close(Cpu& cpu, unsigned size, u64 value) {
  write_linear(cpu, cpu.slow_linear, &value, size);
}

// In 64-bit mode a stack reference that is not canonical is #SS(0). SDM 3A 5.3.1.
static bool stack_canonical(Cpu& cpu, u64 linear) {
  if (canonical(cpu, linear) && canonical(cpu, linear + 7)) return true;
  cpu.raise(Vector::SS, 0);
  return false;
}

bool slow_stack_load(Cpu& cpu, u64 linear) {
  cpu.slow_value = 0;
  return stack_canonical(cpu, linear) && read_linear(cpu, linear, &cpu.slow_value, 8);
}

bool slow_stack_store(Cpu& cpu, u64 linear, u64 value) {
  return stack_canonical(cpu, linear) && write_linear(cpu, linear, &value, 8);
}

}  // namespace softvt::hot
