// The messages that local APICs, I/O APICs and MSIs send each other, and the medium that carries
// them.
#pragma once
#include "cpu/types.h"

namespace softvt {

// SDM 3A 11.6.1 "Interrupt Command Register (ICR)", Delivery Mode; 3 is reserved.
enum class DeliveryMode : u8 {
  kFixed = 0,
  kLowestPriority = 1,
  kSmi = 2,
  kReserved = 3,
  kNmi = 4,
  kInit = 5,
  kStartup = 6,
  kExtInt = 7,
};

enum class DestinationShorthand : u8 { kNone = 0, kSelf = 1, kAll = 2, kAllButSelf = 3 };

struct InterruptMessage {
  u32 destination = 0;
  bool logical = false;
  DeliveryMode mode = DeliveryMode::kFixed;
  u8 vector = 0;
  bool level_triggered = false;
  bool assert_level = true;
  // The destination has 32 bits, as a local APIC in x2APIC mode sends it; else it has 8 and 0xff
  // means everybody.
  bool x2apic_destination = false;
  DestinationShorthand shorthand = DestinationShorthand::kNone;
  // Initial APIC id of the sender; looked at only for shorthands.
  u32 source = 0;
};

class ApicBus {
 public:
  virtual ~ApicBus() = default;
  virtual void deliver(const InterruptMessage& message) = 0;
  // A local APIC has ended a level-triggered interrupt; every I/O APIC hears of it.
  virtual void broadcast_eoi(u8 vector) = 0;
};

}  // namespace softvt
