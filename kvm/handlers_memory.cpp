// EPT violations and nested page faults: RAM is mapped, the local APIC answers its page, everything
// else is a device of user space.
#include <cstdio>

#include "kvm/emulate.h"
#include "kvm/exit_handlers.h"
#include "kvm/vm.h"

namespace softvt::kvm {
namespace {

bool is_apic_page(Vcpu& vcpu, u64 gpa) {
  const LocalApic* apic = vcpu.apic();
  return apic != nullptr && apic->mmio_enabled() &&
         (gpa & ~kPageMask) == (apic->base() & ~kPageMask);
}

std::string where(Vcpu& vcpu, u64 gpa) {
  char text[80];
  std::snprintf(text, sizeof text,
                "access to 0x%llx at RIP 0x%llx: ", static_cast<unsigned long long>(gpa),
                static_cast<unsigned long long>(vcpu.rip()));
  return text;
}

Handled access_apic(Vcpu& vcpu, const MemoryInstruction& instruction, u64 gpa) {
  const u64 offset = gpa & kPageMask;
  if (instruction.write) {
    vcpu.apic()->mmio_write(offset, stored_value(vcpu, instruction), instruction.size);
  } else {
    put_loaded_value(vcpu, instruction, vcpu.apic()->mmio_read(offset, instruction.size));
  }
  vcpu.skip_instruction(instruction.length);
  return Handled::Resume;
}

Handled access_device(Vcpu& vcpu, const MemoryInstruction& instruction, u64 gpa) {
  Run& run = vcpu.run_area();
  run.mmio = {gpa, instruction.write ? stored_value(vcpu, instruction) : 0, instruction.size,
              instruction.write};
  return vcpu.to_user(RunExit::Mmio, [&vcpu, instruction](u64 value) {
    if (!instruction.write) put_loaded_value(vcpu, instruction, value);
    vcpu.skip_instruction(instruction.length);
  });
}

Handled emulate(Vcpu& vcpu, u64 gpa) {
  std::string error;
  const auto instruction = decode_memory_instruction(vcpu, error);
  if (!instruction) return vcpu.internal_error(where(vcpu, gpa) + error);
  return is_apic_page(vcpu, gpa) ? access_apic(vcpu, *instruction, gpa)
                                 : access_device(vcpu, *instruction, gpa);
}

}  // namespace

Handled handle_memory_fault(Vcpu& vcpu, const Exit& exit) {
  const u64 gpa = exit.memory.gpa;
  if (!is_apic_page(vcpu, gpa)) {
    switch (vcpu.vm().map(gpa, exit.memory.write)) {
      case Vm::MapResult::Mapped:
        return Handled::Resume;
      case Vm::MapResult::NoMemory:
        return vcpu.internal_error("no page is left for the second-stage tables");
      case Vm::MapResult::NotRam:
        break;
    }
  }
  if (exit.memory.fetch) {
    return vcpu.internal_error(where(vcpu, gpa) + "instructions are fetched where no RAM is");
  }
  return emulate(vcpu, gpa);
}

}  // namespace softvt::kvm
