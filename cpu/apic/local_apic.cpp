// State of the local APIC, priorities, acceptance and end of interrupts.
#include "cpu/apic/local_apic.h"

namespace softvt {
namespace {

constexpr u64 kBaseBootstrap = u64{1} << 8;
constexpr u64 kBaseX2Apic = u64{1} << 10;
constexpr u64 kBaseEnable = u64{1} << 11;
constexpr u32 kSoftwareEnable = 1u << 8;
constexpr u32 kSuppressEoiBroadcast = 1u << 12;
constexpr int kFirstLegalVector = 16;

}  // namespace

LocalApic::LocalApic(const LocalApicOptions& options, Timeline& timeline, ApicBus& bus,
                     std::function<u64()> tsc, LocalApicEvents events)
    : options_(options),
      bus_(bus),
      events_(std::move(events)),
      id_(options.id),
      timer_(timeline, std::move(tsc), [this] { timer_expired(); }) {
  reset();
}

void LocalApic::clear_in_flight() {
  irr_.clear_all();
  isr_.clear_all();
  tmr_.clear_all();
  extint_pending_ = false;
  logged_errors_ = 0;
}

// SDM 3A 11.4.7.1 "Local APIC State After Power-Up or Reset".
void LocalApic::reset_registers() {
  clear_in_flight();
  registers_.fill(0);
  for (const ApicRegisterRow& row : kApicRegisters) store(row.id, row.reset);
  timer_.reset();
}

void LocalApic::reset() {
  id_ = options_.id;
  apic_base_ = kDefaultBase | kBaseEnable | (options_.bootstrap ? kBaseBootstrap : 0);
  init_reset();
}

void LocalApic::init_reset() {
  reset_registers();
  update();
}

// MP specification 1.4 3.6.2.2 "Virtual Wire Mode".
void LocalApic::program_virtual_wire() {
  write_spurious_vector(kSoftwareEnable | 0xff);
  write_lvt(ApicRegister::kLvtLint0, u32{static_cast<u8>(DeliveryMode::kExtInt)} << 8);
  write_lvt(ApicRegister::kLvtLint1, u32{static_cast<u8>(DeliveryMode::kNmi)} << 8);
  update();
}

bool LocalApic::enabled() const { return (apic_base_ & kBaseEnable) != 0; }

bool LocalApic::x2apic_mode() const {
  return (apic_base_ & (kBaseEnable | kBaseX2Apic)) == (kBaseEnable | kBaseX2Apic);
}

u64 LocalApic::base() const {
  const unsigned bits = options_.physical_address_bits < 52 ? options_.physical_address_bits : 52;
  return apic_base_ & ((u64{1} << bits) - 1) & ~kPageMask;
}

// SDM 3A 11.12.5 "x2APIC State Transitions": from x2APIC mode the only way is to disable, and from
// disabled the only way is xAPIC mode.
bool LocalApic::set_apic_base(u64 value) {
  const unsigned bits = options_.physical_address_bits < 52 ? options_.physical_address_bits : 52;
  u64 legal = (((u64{1} << bits) - 1) & ~kPageMask) | kBaseBootstrap | kBaseEnable;
  if (options_.x2apic) legal |= kBaseX2Apic;
  if (value & ~legal) return false;

  const bool enables = (value & kBaseEnable) != 0;
  const bool extends = (value & kBaseX2Apic) != 0;
  if (extends && !enables) return false;
  if (extends && !enabled()) return false;
  if (x2apic_mode() && enables && !extends) return false;

  const bool disables = enabled() && !enables;
  const bool enters_x2apic = !x2apic_mode() && extends;
  apic_base_ = value;
  // A disabled local APIC comes back as after power-up (SDM 3A 11.4.3).
  if (disables) reset_registers();
  if (enters_x2apic) store(ApicRegister::kIcrHigh, 0);
  update();
  return true;
}

bool LocalApic::software_enabled() const {
  return (stored(ApicRegister::kSpuriousVector) & kSoftwareEnable) != 0;
}

u8 LocalApic::task_priority() const { return static_cast<u8>(stored(ApicRegister::kTaskPriority)); }

void LocalApic::set_task_priority(u8 value) {
  store(ApicRegister::kTaskPriority, value);
  update();
}

// SDM 3A 11.8.3.1 "Task and Processor Priorities".
u8 LocalApic::processor_priority() const {
  const int highest = isr_.highest();
  const u8 service_class = highest < 0 ? 0 : static_cast<u8>(highest & 0xf0);
  const u8 task = task_priority();
  return (task & 0xf0) >= service_class ? task : service_class;
}

void LocalApic::update() {
  int pending = -1;
  if (enabled()) {
    const int requested = irr_.highest();
    if (requested >= kFirstLegalVector && (requested & 0xf0) > (processor_priority() & 0xf0)) {
      pending = requested;
    }
  }
  const bool extint = accepts_extint();
  if (pending == pending_vector_ && extint == last_accepts_extint_) return;
  pending_vector_ = pending;
  last_accepts_extint_ = extint;
  if (events_.interrupt_changed) events_.interrupt_changed();
}

u8 LocalApic::acknowledge() {
  if (pending_vector_ < 0) return static_cast<u8>(stored(ApicRegister::kSpuriousVector));
  const u8 vector = static_cast<u8>(pending_vector_);
  irr_.clear(vector);
  isr_.set(vector);
  update();
  return vector;
}

void LocalApic::accept(u8 vector, bool level) {
  if (!accepts_fixed()) return;
  if (vector < kFirstLegalVector) return log_error(Error::kReceiveIllegalVector);
  irr_.set(vector);
  tmr_.assign(vector, level);
  update();
}

void LocalApic::end_of_interrupt() {
  const int highest = isr_.highest();
  if (highest < 0) return;
  const u8 vector = static_cast<u8>(highest);
  isr_.clear(vector);
  if (tmr_.test(vector)) {
    end_lint_level(vector);
    const bool suppressed = (stored(ApicRegister::kSpuriousVector) & kSuppressEoiBroadcast) != 0;
    if (!suppressed) bus_.broadcast_eoi(vector);
  }
  update();
}

// One error interrupt for each kind of error until ESR is written (SDM 3A 11.5.3).
void LocalApic::log_error(Error error) {
  const u32 bit = static_cast<u32>(error);
  if (logged_errors_ & bit) return;
  logged_errors_ |= bit;
  const u32 lvt = stored(ApicRegister::kLvtError);
  const u8 vector = static_cast<u8>(lvt);
  if ((lvt & kLvtMasked) != 0 || vector < kFirstLegalVector) return;
  accept(vector, false);
}

void LocalApic::write_error_status() {
  store(ApicRegister::kErrorStatus, logged_errors_);
  logged_errors_ = 0;
}

void LocalApic::timer_expired() {
  const u32 lvt = stored(ApicRegister::kLvtTimer);
  if (!(lvt & kLvtMasked)) accept(static_cast<u8>(lvt), false);
}

bool LocalApic::accepts_extint() const {
  if (!enabled()) return true;
  const u32 lvt = stored(ApicRegister::kLvtLint0);
  return !(lvt & kLvtMasked) && static_cast<DeliveryMode>((lvt >> 8) & 7) == DeliveryMode::kExtInt;
}

// SDM 3A 11.5.1 "Local Vector Table".
void LocalApic::deliver_local(ApicRegister lvt, bool level) {
  const u32 entry = stored(lvt);
  if (entry & kLvtMasked) return;
  switch (static_cast<DeliveryMode>((entry >> 8) & 7)) {
    case DeliveryMode::kFixed:
      if (level) store(lvt, entry | kLvtRemoteIrr);
      return accept(static_cast<u8>(entry), level);
    case DeliveryMode::kNmi:
      if (events_.nmi) events_.nmi();
      return;
    case DeliveryMode::kSmi:
      if (events_.smi) events_.smi();
      return;
    case DeliveryMode::kInit:
      if (events_.init) events_.init();
      return;
    default:  // ExtINT is asked for by accepts_extint; the rest is reserved
      return;
  }
}

void LocalApic::set_lint(unsigned pin, bool level) {
  if (pin >= lint_.size()) return;
  const bool rises = level && !lint_[pin];
  lint_[pin] = level;
  if (!enabled()) {
    // The pins of a disabled local APIC are INTR and NMI (SDM 3A 11.4.3).
    if (pin == 1 && rises && events_.nmi) events_.nmi();
    return;
  }
  const ApicRegister lvt = pin == 0 ? ApicRegister::kLvtLint0 : ApicRegister::kLvtLint1;
  const bool fixed = (stored(lvt) & kLvtMode) == 0;
  // LINT1 is always edge sensitive, and so is everything but a fixed interrupt.
  if (pin == 0 && fixed && (stored(lvt) & kLvtLevel)) return set_lint_level(lvt);
  if (rises) deliver_local(lvt, false);
}

void LocalApic::set_lint_level(ApicRegister lvt) {
  if (lint_[0] && !(stored(lvt) & kLvtRemoteIrr)) deliver_local(lvt, true);
}

void LocalApic::end_lint_level(u8 vector) {
  const u32 entry = stored(ApicRegister::kLvtLint0);
  if (!(entry & kLvtRemoteIrr) || static_cast<u8>(entry) != vector) return;
  store(ApicRegister::kLvtLint0, entry & ~kLvtRemoteIrr);
  set_lint_level(ApicRegister::kLvtLint0);
}

void LocalApic::receive(const InterruptMessage& message) {
  if (!enabled()) return;
  switch (message.mode) {
    case DeliveryMode::kFixed:
    case DeliveryMode::kLowestPriority:
      return accept(message.vector, message.level_triggered);
    case DeliveryMode::kSmi:
      if (events_.smi) events_.smi();
      return;
    case DeliveryMode::kNmi:
      if (events_.nmi) events_.nmi();
      return;
    case DeliveryMode::kInit:
      // INIT level de-assert does nothing since the Pentium 4 (SDM 3A 11.6.1).
      if (message.level_triggered && !message.assert_level) return;
      if (events_.init) events_.init();
      return;
    case DeliveryMode::kStartup:
      if (events_.sipi) events_.sipi(message.vector);
      return;
    case DeliveryMode::kExtInt:
      extint_pending_ = true;
      if (events_.interrupt_changed) events_.interrupt_changed();
      return;
    case DeliveryMode::kReserved:
      return;
  }
}

// SDM 3A 11.12.10.2 "Deriving Logical x2APIC ID from the Local x2APIC ID".
u32 LocalApic::logical_id() const {
  return x2apic_mode() ? ((id_ >> 4) << 16) | (u32{1} << (id_ & 0xf))
                       : stored(ApicRegister::kLogicalDestination);
}

// SDM 3A 11.6.2.2 "Logical Destination Mode".
bool LocalApic::matches_logical_xapic(u8 destination) const {
  const u8 own = static_cast<u8>(stored(ApicRegister::kLogicalDestination) >> 24);
  const u32 model = stored(ApicRegister::kDestinationFormat) >> 28;
  if (model == 0xf) return (own & destination) != 0;
  if (model != 0) return false;
  const bool cluster = (own >> 4) == (destination >> 4) || (destination >> 4) == 0xf;
  return cluster && (own & destination & 0xf) != 0;
}

bool LocalApic::matches_logical(const InterruptMessage& message) const {
  if (!x2apic_mode()) {
    return message.destination <= 0xff &&
           matches_logical_xapic(static_cast<u8>(message.destination));
  }
  const u32 own = logical_id();
  return (own >> 16) == (message.destination >> 16) && (own & message.destination & 0xffff) != 0;
}

bool LocalApic::matches(const InterruptMessage& message) const {
  if (!enabled()) return false;
  if (message.destination == (message.x2apic_destination ? 0xffff'ffff : 0xff)) return true;
  if (message.logical) return matches_logical(message);
  return message.destination == (x2apic_mode() ? id_ : id_ & 0xff);
}

}  // namespace softvt
