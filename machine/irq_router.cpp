#include "machine/irq_router.h"

#include <utility>

#include "machine/platform.h"

namespace softvt {

IrqRouter::IrqRouter(ApicBus& bus, std::function<void(bool)> intr)
    : pic_(std::move(intr)), ioapic_(bus, platform::kIoApicId) {}

void IrqRouter::reset() {
  pic_.reset();
  ioapic_.reset();
}

IrqLine IrqRouter::isa_line(unsigned irq) {
  return [this, irq](bool level) { set_isa(irq, Source::Device, level); };
}

HpetLines IrqRouter::hpet_lines() {
  HpetLines lines;
  lines.ioapic_pin = [this](unsigned pin, bool level) { set_pin(pin, level); };
  lines.legacy_irq0 = [this](bool level) { set_isa(platform::kIrqPit, Source::Hpet, level); };
  lines.legacy_irq8 = [this](bool level) { set_isa(platform::kIrqRtc, Source::Hpet, level); };
  lines.legacy_route = [this](bool on) {
    legacy_route_ = on;
    drive(platform::kIrqPit);
    drive(platform::kIrqRtc);
  };
  return lines;
}

bool IrqRouter::replaced_by_hpet(unsigned irq) {
  return irq == platform::kIrqPit || irq == platform::kIrqRtc;
}

void IrqRouter::set_isa(unsigned irq, Source source, bool level) {
  Line& line = lines_[irq];
  (source == Source::Hpet ? line.hpet : line.device) = level;
  drive(irq);
}

void IrqRouter::drive(unsigned irq) {
  const Line& line = lines_[irq];
  const bool from_hpet = legacy_route_ && replaced_by_hpet(irq);
  const bool level = from_hpet ? line.hpet : line.device;
  pic_.set_irq(irq, level);
  ioapic_.set_irq(irq == platform::kIrqPit ? platform::kGsiPit : irq, level);
}

}  // namespace softvt
