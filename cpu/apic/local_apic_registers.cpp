// Access to the registers of the local APIC through the page and through MSRs, and the IPIs that
// a write to ICR sends.
#include "cpu/apic/local_apic.h"

namespace softvt {
namespace {

// Integrated APIC, six local vectors, EOI broadcast can be suppressed (SDM 3A 11.4.8).
constexpr u32 kVersionValue = 0x14 | (5u << 16) | (1u << 24);
constexpr u32 kSoftwareEnable = 1u << 8;
constexpr u32 kTimerDeadlineBit = 1u << 18;

constexpr u32 kIcrLogical = 1u << 11;
constexpr u32 kIcrAssert = 1u << 14;
constexpr u32 kIcrLevel = 1u << 15;
constexpr u32 kIcrBusy = 1u << 12;

constexpr std::array<ApicRegister, 6> kLocalVectors = {
    ApicRegister::kLvtTimer, ApicRegister::kLvtThermal, ApicRegister::kLvtPerformance,
    ApicRegister::kLvtLint0, ApicRegister::kLvtLint1,   ApicRegister::kLvtError,
};

constexpr ApicTimerMode timer_mode(u32 lvt) {
  return static_cast<ApicTimerMode>((lvt & kLvtTimerMode) >> 17);
}

}  // namespace

u32 LocalApic::read_register(const ApicRegisterRow& row, u32 offset) const {
  const unsigned index = (offset - static_cast<u32>(row.id)) / 16;
  switch (row.id) {
    case ApicRegister::kId:
      return x2apic_mode() ? id_ : id_ << 24;
    case ApicRegister::kVersion:
      return kVersionValue;
    case ApicRegister::kArbitrationPriority:
    case ApicRegister::kProcessorPriority:
      return processor_priority();
    case ApicRegister::kLogicalDestination:
      return logical_id();
    case ApicRegister::kInService:
      return isr_.word(index);
    case ApicRegister::kTriggerMode:
      return tmr_.word(index);
    case ApicRegister::kInterruptRequest:
      return irr_.word(index);
    case ApicRegister::kInitialCount:
      return timer_.initial_count();
    case ApicRegister::kCurrentCount:
      return timer_.current_count();
    default:
      return stored(row.id);
  }
}

// Bits that a write may carry in x2APIC mode without #GP.
u32 LocalApic::allowed_bits(const ApicRegisterRow& row) const {
  u32 allowed = row.writable | row.read_only;
  if (row.id == ApicRegister::kLvtTimer && !options_.tsc_deadline) allowed &= ~kTimerDeadlineBit;
  return allowed;
}

// A software-disabled local APIC keeps every local vector masked (SDM 3A 11.4.7.2).
void LocalApic::write_lvt(ApicRegister reg, u32 value) {
  if (!software_enabled()) value |= kLvtMasked;
  const u32 kept = value & kLvtLevel ? stored(reg) & kLvtRemoteIrr : 0;
  store(reg, value | kept);
  if (reg == ApicRegister::kLvtTimer) timer_.set_mode(timer_mode(value));
  if (reg == ApicRegister::kLvtLint0 && (value & (kLvtLevel | kLvtMode)) == kLvtLevel) {
    set_lint_level(reg);
  }
}

void LocalApic::write_spurious_vector(u32 value) {
  store(ApicRegister::kSpuriousVector, value);
  if (value & kSoftwareEnable) return;
  for (const ApicRegister lvt : kLocalVectors) store(lvt, stored(lvt) | kLvtMasked);
}

void LocalApic::write_register(const ApicRegisterRow& row, u32 value) {
  value &= row.writable & allowed_bits(row);
  switch (row.id) {
    case ApicRegister::kEoi:
      return end_of_interrupt();
    case ApicRegister::kDestinationFormat:
      store(row.id, value | row.read_only);
      break;
    case ApicRegister::kSpuriousVector:
      write_spurious_vector(value);
      break;
    case ApicRegister::kErrorStatus:
      write_error_status();
      break;
    case ApicRegister::kIcrLow:
      store(row.id, value);
      send_ipi(value, stored(ApicRegister::kIcrHigh) >> 24);
      break;
    case ApicRegister::kLvtTimer:
    case ApicRegister::kLvtThermal:
    case ApicRegister::kLvtPerformance:
    case ApicRegister::kLvtLint0:
    case ApicRegister::kLvtLint1:
    case ApicRegister::kLvtError:
      write_lvt(row.id, value);
      break;
    case ApicRegister::kInitialCount:
      timer_.set_initial_count(value);
      break;
    case ApicRegister::kDivide:
      store(row.id, value);
      timer_.set_divide(value);
      break;
    case ApicRegister::kSelfIpi:
      send_self_ipi(static_cast<u8>(value));
      break;
    default:
      store(row.id, value);
      break;
  }
  update();
}

// SDM 3A 11.4.1: registers are 32 bits wide at multiples of 16 bytes. Narrower and wider reads
// within the register give what is there, and zero beyond; other writes than of 32 aligned bits
// have no effect.
u64 LocalApic::mmio_read(u64 offset, unsigned size) {
  if (!mmio_enabled() || offset >= kPageBytes || size == 0) return ~u64{0};
  const u32 shift = static_cast<u32>(offset & 0xf);
  const ApicRegisterRow* row = find_apic_register(static_cast<u32>(offset));
  if (row == nullptr || row->xapic == ApicAccess::kNone) {
    log_error(Error::kIllegalRegister);
    return 0;
  }
  if (shift >= 4 || !readable(row->xapic)) return 0;
  const u32 value = read_register(*row, static_cast<u32>(offset)) >> (8 * shift);
  return size >= 4 ? value : value & ((u32{1} << (8 * size)) - 1);
}

void LocalApic::mmio_write(u64 offset, u64 value, unsigned size) {
  if (!mmio_enabled() || offset >= kPageBytes) return;
  const ApicRegisterRow* row = find_apic_register(static_cast<u32>(offset));
  if (row == nullptr || row->xapic == ApicAccess::kNone) {
    return log_error(Error::kIllegalRegister);
  }
  if (size != 4 || (offset & 0xf) != 0 || !writable(row->xapic)) return;
  write_register(*row, static_cast<u32>(value));
}

// SDM 3A 11.12.1.3 "Reserved Bit Checking".
bool LocalApic::msr_read(u32 msr, u64& value) {
  if (!x2apic_mode() || msr < kX2ApicMsrBase || msr - kX2ApicMsrBase >= kX2ApicMsrCount) {
    return false;
  }
  const u32 offset = (msr - kX2ApicMsrBase) * 16;
  const ApicRegisterRow* row = find_apic_register(offset);
  if (row == nullptr || !readable(row->x2apic)) return false;
  value = read_register(*row, offset);
  if (row->id == ApicRegister::kIcrLow) value |= u64{stored(ApicRegister::kIcrHigh)} << 32;
  return true;
}

bool LocalApic::msr_write(u32 msr, u64 value) {
  if (!x2apic_mode() || msr < kX2ApicMsrBase || msr - kX2ApicMsrBase >= kX2ApicMsrCount) {
    return false;
  }
  const ApicRegisterRow* row = find_apic_register((msr - kX2ApicMsrBase) * 16);
  if (row == nullptr || !writable(row->x2apic)) return false;
  if (static_cast<u32>(value) & ~allowed_bits(*row)) return false;
  if (row->id == ApicRegister::kIcrLow) return write_x2apic_icr(value);
  if (value >> 32) return false;
  write_register(*row, static_cast<u32>(value));
  return true;
}

// SDM 3A 11.12.9 "ICR Operation in x2APIC Mode".
bool LocalApic::write_x2apic_icr(u64 value) {
  const u32 low = static_cast<u32>(value) & ~kIcrBusy;
  const u32 destination = static_cast<u32>(value >> 32);
  store(ApicRegister::kIcrLow, low);
  store(ApicRegister::kIcrHigh, destination);
  send_ipi(low, destination);
  update();
  return true;
}

// SDM 3A 11.6.1 "Interrupt Command Register (ICR)". Its table of valid combinations allows the
// shorthands that include the sender for fixed interrupts only; software sends itself NMI, INIT and
// SMI by the shorthand "self" all the same, and processors deliver them.
void LocalApic::send_ipi(u32 low, u32 destination) {
  InterruptMessage message;
  message.destination = destination;
  message.logical = (low & kIcrLogical) != 0;
  message.mode = static_cast<DeliveryMode>((low >> 8) & 7);
  message.vector = static_cast<u8>(low);
  message.assert_level = (low & kIcrAssert) != 0;
  message.x2apic_destination = x2apic_mode();
  message.shorthand = static_cast<DestinationShorthand>((low >> 18) & 3);
  message.source = id_;
  const bool fixed = message.mode == DeliveryMode::kFixed;
  const bool has_vector = fixed || message.mode == DeliveryMode::kLowestPriority;
  const bool includes_self = message.shorthand == DestinationShorthand::kSelf ||
                             message.shorthand == DestinationShorthand::kAll;
  if (message.mode == DeliveryMode::kReserved || message.mode == DeliveryMode::kExtInt) return;
  const bool to_itself =
      message.shorthand == DestinationShorthand::kSelf &&
      (message.mode == DeliveryMode::kNmi || message.mode == DeliveryMode::kSmi ||
       message.mode == DeliveryMode::kInit);
  if (includes_self && !fixed && !to_itself) return;
  if (has_vector && message.vector < 16) return log_error(Error::kSendIllegalVector);
  // The trigger mode counts for INIT level de-assert only; every other IPI is an edge.
  message.level_triggered = message.mode == DeliveryMode::kInit && (low & kIcrLevel) != 0;
  bus_.deliver(message);
}

// SDM 3A 11.12.11 "SELF IPI Register".
void LocalApic::send_self_ipi(u8 vector) {
  if (vector < 16) return log_error(Error::kSendIllegalVector);
  accept(vector, false);
}

}  // namespace softvt
