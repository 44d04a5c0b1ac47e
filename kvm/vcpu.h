// A vcpu of the layer: the loop of VM entry, VM exit and handler, and the services that handlers
// use. After KVM_CREATE_VCPU and KVM_RUN.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cpu/apic/local_apic.h"
#include "kvm/api.h"
#include "kvm/backend.h"
#include "kvm/guest_walk.h"
#include "kvm/hypercalls.h"
#include "trace/path_events.h"

namespace softvt::kvm {

class Vm;

// What a handler says: enter the guest again, or go to user space (Vcpu::run_area() is filled).
enum class Handled : u8 { Resume, ToUser };

// Interrupts that reach the vcpu from outside of the layer: a local APIC and the 8259 pair.
struct InterruptSources {
  LocalApic* apic = nullptr;
  Bus* extint = nullptr;  // asked for ExtINT vectors
};

class Vcpu {
 public:
  Vcpu(Vm& vm, HostProcessor& host, std::unique_ptr<VendorBackend> backend, u32 index,
       InterruptSources sources);
  ~Vcpu();
  Vcpu(const Vcpu&) = delete;
  Vcpu& operator=(const Vcpu&) = delete;

  bool init(std::string& error);

  // KVM_RUN: at least one instruction or exit, about `budget` instructions.
  const Run& run(i64 budget);
  // The answer to an Io or Mmio read, the result of a Hypercall.
  void complete(u64 value);
  // Gets the guest out of the processor, so that registers can be read and written.
  void pause();

  Registers registers() const;
  void set_registers(const Registers& registers);
  SystemRegisters system_registers() const;
  void set_system_registers(const SystemRegisters& registers);
  void reset();  // power-on and INIT: SDM 3A 10.1.1

  RunState state() const { return state_; }
  bool has_wake_event() const;
  bool wakes_on_interrupt() const { return state_ == RunState::Halted && interrupts_enabled(); }
  void request_stop() { host_.cpu().request_stop(); }
  u64 instructions() const { return host_.cpu().instructions(); }

  // Events from the local APIC and other vcpus.
  void unhalt() { woken_ = true; }
  void post_nmi() { nmi_pending_ = true; }
  void post_init() { init_pending_ = true; }
  void post_sipi(u8 vector);

  // ---- for handlers ----------------------------------------------------------------------------
  Vm& vm() { return vm_; }
  HostProcessor& host() { return host_; }
  VendorBackend& backend() { return *backend_; }
  Run& run_area() { return run_; }
  LocalApic* apic() { return sources_.apic; }
  u32 apic_id() const { return index_; }
  u32 index() const { return index_; }
  u64 nanos() const { return host_.nanos(); }
  u64 guest_tsc() const { return host_.rdtsc() + backend_->tsc_offset(); }

  u64 gpr(unsigned number) const { return backend_->gpr(number); }
  void set_gpr(unsigned number, u64 value) { backend_->set_gpr(number, value); }
  // By byte offset and size, as decoded instructions name registers; 32-bit writes clear the rest.
  u64 gpr_part(unsigned number, unsigned size, bool high_byte) const;
  void set_gpr_part(unsigned number, unsigned size, bool high_byte, u64 value);
  u64 rip() const { return backend_->get(GuestField::Rip); }
  bool long_mode() const { return (backend_->get(GuestField::Efer) & efer::LMA) != 0; }
  bool code64() const;
  bool protected_mode() const { return (backend_->get(GuestField::Cr0) & cr0::PE) != 0; }
  bool v86() const { return (backend_->get(GuestField::Rflags) & rflags::VM) != 0; }
  unsigned cpl() const { return backend_->cpl(); }
  unsigned code_bits() const;  // 16, 32, 64

  // RIP behind the instruction; ends the interrupt shadow; a single step is reported.
  void skip_instruction(u8 length);
  void inject(Vector vector, std::optional<u32> error = std::nullopt);
  void inject_page_fault(u64 linear, u32 error);

  // Guest memory by linear address, with the rights of the present CPL. On failure the #PF that the
  // guest would get is in `fault`.
  struct PageFault {
    u64 linear = 0;
    u32 error = 0;
  };
  bool read_linear(u64 linear, void* out, unsigned size, PageFault& fault, bool fetch = false);
  bool write_linear(u64 linear, const void* in, unsigned size, PageFault& fault);
  // The bytes at CS:RIP, up to 15; as many as can be read.
  unsigned fetch_instruction(u8 (&bytes)[15]);
  u64 linear_rip() const;

  Handled internal_error(std::string detail);
  Handled fail_entry(u64 code, std::string detail);
  Handled shutdown();
  Handled halt();
  // Goes to user space; `finish` gets the answer of complete().
  Handled to_user(RunExit reason, std::function<void(u64 value)> finish);

  bool tracing() const;
  void tell(decltype(trace::PathEvent::station) station);

  u64 msr_tsc_adjust = 0, msr_debugctl = 0;  // MSRs that the layer keeps

 private:
  bool interrupts_enabled() const { return (backend_->get(GuestField::Rflags) & rflags::IF) != 0; }
  bool interrupt_pending() const;
  bool event_pending() const;
  u8 acknowledge_interrupt();
  void take_init();
  void take_events();
  bool still_waiting();
  void start_from_sipi();
  void inject_pending_interrupt();
  bool enter();
  Handled dispatch();
  void tell_guest_instruction(const Exit& exit);
  void tell_user_exit();
  GuestPaging paging() const;
  const Run& leave(RunExit reason);
  const Run* enter_or_kick(i64 left);

  Vm& vm_;
  HostProcessor& host_;
  std::unique_ptr<VendorBackend> backend_;
  u32 index_;
  InterruptSources sources_;
  Run run_;
  RunState state_ = RunState::Runnable;
  bool in_guest_ = false;       // entered, and no VM exit yet
  bool user_exit_due_ = false;  // pause() found one
  bool woken_ = false, nmi_pending_ = false, init_pending_ = false, sipi_pending_ = false;
  u8 sipi_vector_ = 0;
  std::function<void(u64)> finish_;
};

}  // namespace softvt::kvm
