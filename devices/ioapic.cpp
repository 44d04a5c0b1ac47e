#include "devices/ioapic.h"

namespace softvt {
namespace {

// 82093AA datasheet 3.1 "Memory Mapped Registers"; the EOI register is of version 0x20 (ICH).
constexpr u64 kSelectOffset = 0x00;
constexpr u64 kWindowOffset = 0x10;
constexpr u64 kEoiOffset = 0x40;

constexpr u8 kIdIndex = 0x00;
constexpr u8 kVersionIndex = 0x01;
constexpr u8 kArbitrationIndex = 0x02;
constexpr u8 kTableIndex = 0x10;

// 82093AA datasheet 3.2.4 "I/O Redirection Table Registers".
constexpr u64 kVectorMask = 0xff;
constexpr unsigned kModeShift = 8;
constexpr u64 kLogical = u64{1} << 11;
constexpr u64 kDeliveryStatus = u64{1} << 12;
constexpr u64 kRemoteIrr = u64{1} << 14;
constexpr u64 kLevel = u64{1} << 15;
constexpr u64 kMasked = u64{1} << 16;
constexpr unsigned kDestinationShift = 56;
constexpr u64 kReadOnly = kDeliveryStatus | kRemoteIrr;
constexpr u64 kImplemented = 0xff00'0000'0001'ffff;

constexpr DeliveryMode mode_of(u64 entry) {
  return static_cast<DeliveryMode>((entry >> kModeShift) & 7);
}

}  // namespace

void IoApic::reset() {
  id_ = initial_id_;
  select_ = 0;
  entries_.fill(kMasked);
}

// NMI, SMI, INIT and ExtINT are edge-triggered whatever the entry says: nobody ends them.
bool IoApic::tracks_level(unsigned pin) const {
  const DeliveryMode mode = mode_of(entries_[pin]);
  return (entries_[pin] & kLevel) != 0 &&
         (mode == DeliveryMode::kFixed || mode == DeliveryMode::kLowestPriority);
}

void IoApic::send(unsigned pin) {
  const u64 entry = entries_[pin];
  InterruptMessage message;
  message.destination = static_cast<u32>(entry >> kDestinationShift);
  message.logical = (entry & kLogical) != 0;
  message.mode = mode_of(entry);
  message.vector = static_cast<u8>(entry & kVectorMask);
  message.level_triggered = tracks_level(pin);
  // SIPI is no delivery mode of an I/O APIC.
  if (message.mode == DeliveryMode::kReserved || message.mode == DeliveryMode::kStartup) return;
  bus_.deliver(message);
}

void IoApic::service_level(unsigned pin) {
  if (!tracks_level(pin) || !lines_[pin]) return;
  if (entries_[pin] & (kMasked | kRemoteIrr)) return;
  entries_[pin] |= kRemoteIrr;
  send(pin);
}

void IoApic::set_irq(unsigned pin, bool level) {
  if (pin >= kPins) return;
  const bool rises = level && !lines_[pin];
  lines_[pin] = level;
  if (tracks_level(pin)) {
    service_level(pin);
  } else if (rises && !(entries_[pin] & kMasked)) {
    // An edge on a masked pin is lost (82093AA datasheet 3.2.4, Interrupt Mask).
    send(pin);
  }
}

void IoApic::eoi(u8 vector) {
  for (unsigned pin = 0; pin < kPins; ++pin) {
    if ((entries_[pin] & kVectorMask) != vector || !(entries_[pin] & kRemoteIrr)) continue;
    entries_[pin] &= ~kRemoteIrr;
    service_level(pin);
  }
}

u32 IoApic::read_indirect() const {
  switch (select_) {
    case kIdIndex:
    case kArbitrationIndex:
      return u32{id_} << 24;
    case kVersionIndex:
      return kVersion | ((kPins - 1) << 16);
    default:
      break;
  }
  const unsigned index = select_ - kTableIndex;
  if (select_ < kTableIndex || index / 2 >= kPins) return 0;
  return static_cast<u32>(entries_[index / 2] >> (index & 1 ? 32 : 0));
}

void IoApic::write_entry(unsigned pin, bool high, u32 value) {
  const u64 old = entries_[pin];
  u64 entry = high ? (old & 0xffff'ffff) | (u64{value} << 32) : (old >> 32 << 32) | value;
  entry = (entry & kImplemented & ~kReadOnly) | (old & kReadOnly);
  // Turning a pin to edge forgets the interrupt in flight.
  if (!(entry & kLevel)) entry &= ~kRemoteIrr;
  entries_[pin] = entry;
  service_level(pin);
}

void IoApic::write_indirect(u32 value) {
  if (select_ == kIdIndex) id_ = (value >> 24) & 0xf;
  const unsigned index = select_ - kTableIndex;
  if (select_ < kTableIndex || index / 2 >= kPins) return;
  write_entry(index / 2, index & 1, value);
}

u64 IoApic::mmio_read(u64 offset, unsigned size) {
  const u64 shift = offset & 0xf;
  if (shift >= 4 || size == 0) return 0;
  u32 value = 0;
  switch (offset & ~u64{0xf}) {
    case kSelectOffset:
      value = select_;
      break;
    case kWindowOffset:
      value = read_indirect();
      break;
    default:
      return 0;
  }
  value >>= 8 * shift;
  return size >= 4 ? value : value & ((u32{1} << (8 * size)) - 1);
}

void IoApic::mmio_write(u64 offset, u64 value, unsigned size) {
  switch (offset) {
    case kSelectOffset:
      select_ = static_cast<u8>(value);
      break;
    case kWindowOffset:
      if (size >= 4) write_indirect(static_cast<u32>(value));
      break;
    case kEoiOffset:
      eoi(static_cast<u8>(value));
      break;
    default:
      break;
  }
}

}  // namespace softvt
