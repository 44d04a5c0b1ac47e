// A virtual machine of the layer: memory slots, the second-stage tables made from them, hypercalls.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "kvm/api.h"
#include "kvm/host_memory.h"
#include "kvm/hypercalls.h"
#include "kvm/mmu.h"

namespace softvt::trace {
class PathSink;
}

namespace softvt::kvm {

class Vcpu;

struct VmOptions {
  Vendor vendor = Vendor::Vmx;
  // KVM_X86_QUIRK_FIX_HYPERCALL_INSN: the other vendor's hypercall instruction is rewritten in
  // guest memory; off: it raises #UD.
  bool fix_hypercall_insn = true;
  u64 boot_time_s = 0;  // wall clock at virtual time 0, in seconds since 1970
};

class Vm {
 public:
  Vm(HostMemory& host, const VmOptions& options);
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  Vendor vendor() const { return options_.vendor; }
  const VmOptions& options() const { return options_; }
  HostMemory& host() { return host_; }
  HypercallRegistry& hypercalls() { return hypercalls_; }

  // KVM_SET_USER_MEMORY_REGION. False and a line in `error` if it cannot be.
  bool add_slot(const MemorySlot& slot, std::string& error);
  const MemorySlot* find_slot(u64 gpa) const;

  // Guest memory by guest-physical address; false if a byte is not in a slot with RAM behind it.
  bool read_guest(u64 gpa, void* out, u64 size) const;
  bool write_guest(u64 gpa, const void* in, u64 size);

  enum class MapResult : u8 { Mapped, NotRam, NoMemory };
  // The guest touched `gpa`, which the second-stage tables do not map (or not for writing).
  MapResult map(u64 gpa, bool write);
  u64 second_stage_root() const { return tables_.root(); }

  void attach(Vcpu& vcpu) { vcpus_.push_back(&vcpu); }
  Vcpu* vcpu_by_apic_id(u32 id) const;

  // Where the stations of a hypercall are told; null: nowhere.
  trace::PathSink* sink = nullptr;

 private:
  // Host address of the guest page, 0 if there is no RAM (a device may have a page inside a slot).
  u64 host_page(u64 gpa, const MemorySlot*& slot) const;
  bool fits_large(u64 gpa, const MemorySlot& slot) const;

  HostMemory& host_;
  VmOptions options_;
  SecondStageTables tables_;
  HypercallRegistry hypercalls_;
  std::vector<MemorySlot> slots_;
  std::vector<Vcpu*> vcpus_;
};

}  // namespace softvt::kvm
