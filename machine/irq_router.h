// The interrupt lines of the board: ISA interrupts reach the 8259 pair and the I/O APIC, the PIT's
// at pin 2. While the HPET's legacy replacement route is on, the PIT and the RTC are cut off.
#pragma once
#include <array>
#include <functional>

#include "devices/hpet.h"
#include "devices/i8259.h"
#include "devices/ioapic.h"

namespace softvt {

class IrqRouter {
 public:
  // `intr` hears of the INTR output of the 8259 pair.
  IrqRouter(ApicBus& bus, std::function<void(bool)> intr);
  IrqRouter(const IrqRouter&) = delete;
  IrqRouter& operator=(const IrqRouter&) = delete;

  IrqLine isa_line(unsigned irq);
  HpetLines hpet_lines();
  void set_pin(unsigned pin, bool level) { ioapic_.set_irq(pin, level); }
  void reset();

  I8259& pic() { return pic_; }
  IoApic& ioapic() { return ioapic_; }

 private:
  enum class Source : u8 { Device, Hpet };
  struct Line {
    bool device = false;
    bool hpet = false;
  };

  static bool replaced_by_hpet(unsigned irq);
  void set_isa(unsigned irq, Source source, bool level);
  void drive(unsigned irq);

  I8259 pic_;
  IoApic ioapic_;
  std::array<Line, I8259::kLines> lines_{};
  bool legacy_route_ = false;
};

}  // namespace softvt
