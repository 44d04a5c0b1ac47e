// Who executes the guest: one row for each --accel.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cpu/cpu.h"
#include "machine/vcpu.h"

namespace softvt {

class ApicInterconnect;

enum class Accel : u8 { Bare, Vmx, Svm, Kvm };

std::string_view accel_name(Accel accel);
std::optional<Accel> accel_from_name(std::string_view name);
std::string accel_names();  // with commas between

// The surroundings of a vcpu. All outlive it.
struct VcpuEnvironment {
  PhysMemory& memory;
  Timeline& timeline;
  Bus& bus;
  ApicInterconnect& interconnect;  // the vcpu attaches its local APIC
  const CpuModel& model;
  u32 index;
  u32 count;
};

// What the vcpus of one machine share. Outlives them.
class Backend {
 public:
  virtual ~Backend() = default;
  // In order of index. Null and a line in `error` if there can be none.
  virtual std::unique_ptr<Vcpu> create_vcpu(const VcpuEnvironment& environment,
                                            std::string& error) = 0;
};

// Null and a line in `error` if it is not available.
std::unique_ptr<Backend> open_backend(Accel accel, PhysMemory& memory, std::string& error);

}  // namespace softvt
