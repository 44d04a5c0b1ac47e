// The local APIC of one vcpu: the xAPIC page, the x2APIC MSRs, IA32_APIC_BASE, the local vector
// table, the timer, and acceptance of messages (SDM 3A chapter 11).
#pragma once
#include <array>
#include <functional>

#include "cpu/apic/apic_registers.h"
#include "cpu/apic/apic_timer.h"
#include "cpu/apic/interrupt_message.h"
#include "cpu/apic/vector_set.h"
#include "cpu/timeline.h"

namespace softvt {

struct LocalApicOptions {
  u32 id = 0;  // x2APIC id; its low 8 bits are the xAPIC id
  bool bootstrap = false;
  bool x2apic = true;        // CPUID.01H:ECX[21]
  bool tsc_deadline = true;  // CPUID.01H:ECX[24]
  unsigned physical_address_bits = 46;
};

// What the local APIC asks of its vcpu. INIT and the rest may be blocked or intercepted there, so
// the vcpu itself calls `init_reset` when it takes an INIT. An empty function is skipped.
struct LocalApicEvents {
  std::function<void()> nmi;
  std::function<void()> init;
  std::function<void(u8 vector)> sipi;
  std::function<void()> smi;
  // `pending_vector`, `accepts_extint` or `extint_pending` may answer otherwise than before.
  std::function<void()> interrupt_changed;
};

class LocalApic {
 public:
  static constexpr u64 kDefaultBase = 0xfee00000;
  static constexpr u64 kPageBytes = 4096;

  // `tsc` gives the present TSC of the vcpu.
  LocalApic(const LocalApicOptions& options, Timeline& timeline, ApicBus& bus,
            std::function<u64()> tsc, LocalApicEvents events);
  LocalApic(const LocalApic&) = delete;
  LocalApic& operator=(const LocalApic&) = delete;

  // Power-on or RESET.
  void reset();
  // INIT: as reset, but IA32_APIC_BASE and the id stay (SDM 3A 11.4.7.3 "Local APIC State After an
  // INIT Reset").
  void init_reset();
  // What firmware leaves behind: enabled, LINT0 as ExtINT, LINT1 as NMI (the virtual wire mode).
  void program_virtual_wire();

  // The xAPIC page at base(); to be asked only while mmio_enabled().
  u64 mmio_read(u64 offset, unsigned size);
  void mmio_write(u64 offset, u64 value, unsigned size);
  // MSRs 0x800..0x8ff; false is #GP(0).
  bool msr_read(u32 msr, u64& value);
  bool msr_write(u32 msr, u64 value);

  u64 apic_base() const { return apic_base_; }
  bool set_apic_base(u64 value);  // false is #GP(0)
  u64 base() const;
  bool enabled() const;
  bool x2apic_mode() const;
  bool mmio_enabled() const { return enabled() && !x2apic_mode(); }

  u64 tsc_deadline() const { return timer_.tsc_deadline(); }
  void set_tsc_deadline(u64 value) { timer_.set_tsc_deadline(value); }
  // To be called after the TSC of the vcpu was set.
  void tsc_changed() { timer_.tsc_changed(); }

  u8 task_priority() const;
  void set_task_priority(u8 value);
  u8 cr8() const { return task_priority() >> 4; }
  void set_cr8(u8 value) { set_task_priority(static_cast<u8>((value & 0xf) << 4)); }
  u8 processor_priority() const;

  // Highest vector that the processor may take now, -1 if there is none.
  int pending_vector() const { return pending_vector_; }
  // Takes that vector into service; the spurious vector if it has gone.
  u8 acknowledge();
  // A fixed interrupt arrives, from the bus or from the local vector table.
  void accept(u8 vector, bool level);
  void end_of_interrupt();

  // True if INTR of the 8259 pair reaches the processor through LINT0, or because the local APIC is
  // disabled and LINT0 is the INTR pin.
  bool accepts_extint() const;
  // An ExtINT message from an I/O APIC waits: the vcpu takes the vector from the 8259 pair.
  bool extint_pending() const { return extint_pending_; }
  void clear_extint() { extint_pending_ = false; }
  // Input pins LINT0 (from the 8259 pair) and LINT1 (NMI).
  void set_lint(unsigned pin, bool level);

  // For the interconnect.
  u32 id() const { return id_; }
  bool matches(const InterruptMessage& message) const;
  bool accepts_fixed() const { return enabled() && software_enabled(); }
  void receive(const InterruptMessage& message);

  bool in_request(u8 vector) const { return irr_.test(vector); }
  bool in_service(u8 vector) const { return isr_.test(vector); }

 private:
  enum class Error : u32 {
    kRedirectableIpi = 1u << 4,
    kSendIllegalVector = 1u << 5,
    kReceiveIllegalVector = 1u << 6,
    kIllegalRegister = 1u << 7,
  };

  static constexpr unsigned slot(ApicRegister reg) { return static_cast<unsigned>(reg) >> 4; }
  u32 stored(ApicRegister reg) const { return registers_[slot(reg)]; }
  void store(ApicRegister reg, u32 value) { registers_[slot(reg)] = value; }

  bool software_enabled() const;
  u32 read_register(const ApicRegisterRow& row, u32 offset) const;
  void write_register(const ApicRegisterRow& row, u32 value);
  void write_lvt(ApicRegister reg, u32 value);
  void write_spurious_vector(u32 value);
  void write_error_status();
  u32 allowed_bits(const ApicRegisterRow& row) const;
  bool write_x2apic_icr(u64 value);
  void send_ipi(u32 low, u32 destination);
  void send_self_ipi(u8 vector);

  void reset_registers();
  void clear_in_flight();
  void log_error(Error error);
  void deliver_local(ApicRegister lvt, bool level);
  void set_lint_level(ApicRegister lvt);
  void end_lint_level(u8 vector);
  void timer_expired();
  bool matches_logical(const InterruptMessage& message) const;
  bool matches_logical_xapic(u8 destination) const;
  u32 logical_id() const;
  void update();

  LocalApicOptions options_;
  ApicBus& bus_;
  LocalApicEvents events_;
  u32 id_;
  u64 apic_base_ = 0;
  std::array<u32, 64> registers_{};
  VectorSet irr_;
  VectorSet isr_;
  VectorSet tmr_;
  u32 logged_errors_ = 0;  // since the last write of ESR
  std::array<bool, 2> lint_{};
  bool extint_pending_ = false;
  int pending_vector_ = -1;
  bool last_accepts_extint_ = false;
  ApicTimer timer_;
};

}  // namespace softvt
