// Exceptions of the processor. SDM 3A chapter 6 "Interrupt and Exception Handling".
#pragma once
#include "cpu/types.h"

namespace softvt {

// SDM 3A 6.3.1, table 6-1 "Exceptions and Interrupts".
enum class Vector : u8 {
  DE = 0,
  DB = 1,
  NMI = 2,
  BP = 3,
  OF = 4,
  BR = 5,
  UD = 6,
  NM = 7,
  DF = 8,
  TS = 10,
  NP = 11,
  SS = 12,
  GP = 13,
  PF = 14,
  MF = 16,
  AC = 17,
  MC = 18,
  XM = 19,
  VE = 20,
  CP = 21
};

constexpr bool pushes_error_code(Vector v) {
  switch (v) {
    case Vector::DF:
    case Vector::TS:
    case Vector::NP:
    case Vector::SS:
    case Vector::GP:
    case Vector::PF:
    case Vector::AC:
    case Vector::CP:
      return true;
    default:
      return false;
  }
}

// How an event came about; the numbers are those of VM-entry interruption information.
// SDM 3C 25.8.3, table 25-17 "Format of the VM-Entry Interruption-Information Field".
enum class EventType : u8 {
  ExternalInterrupt = 0,
  Nmi = 2,
  HardwareException = 3,
  SoftwareInterrupt = 4,            // INT n
  PrivilegedSoftwareException = 5,  // INT1
  SoftwareException = 6,            // INT3, INTO
};

// An exception or interrupt that is posted or in delivery.
struct Event {
  u8 vector = 0;
  EventType type = EventType::HardwareException;
  bool has_error = false;
  u32 error = 0;
  u64 cr2 = 0;  // #PF: the linear address; becomes CR2 when the fault is delivered
  u64 dr6 = 0;  // #DB: bits to set in DR6
};

// Page-fault error code. SDM 3A 4.7 "Page-Fault Exceptions".
namespace pf {
constexpr u32 P = 1 << 0, W = 1 << 1, U = 1 << 2, RSVD = 1 << 3, I = 1 << 4, PK = 1 << 5;
}

}  // namespace softvt
