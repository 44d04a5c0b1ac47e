#include "devices/uart16550.h"

#include <utility>

namespace softvt {
namespace {

enum Register : u8 { kData, kIer, kIirFcr, kLcr, kMcr, kLsr, kMsr, kScratch, kRegisterCount };

enum Ier : u8 {
  kIerReceive = 1,
  kIerThre = 2,
  kIerLineStatus = 4,
  kIerModemStatus = 8,
  kIerMask = 0x0f
};

enum Iir : u8 {
  kIirModemStatus = 0x00,
  kIirNone = 0x01,
  kIirThre = 0x02,
  kIirReceive = 0x04,
  kIirLineStatus = 0x06,
  kIirTimeout = 0x0c,
  kIirFifosEnabled = 0xc0
};

enum Fcr : u8 { kFcrEnable = 1, kFcrClearReceiver = 2, kFcrKept = 0xc9 };
enum Lcr : u8 { kLcrDlab = 0x80 };
enum Mcr : u8 {
  kMcrDtr = 1,
  kMcrRts = 2,
  kMcrOut1 = 4,
  kMcrOut2 = 8,
  kMcrLoop = 0x10,
  kMcrMask = 0x1f
};
enum Lsr : u8 { kLsrData = 1, kLsrOverrun = 2, kLsrThre = 0x20, kLsrTemt = 0x40 };
enum Msr : u8 {
  kMsrTrailingRing = 4,
  kMsrDeltas = 0x0f,
  kMsrCts = 0x10,
  kMsrDsr = 0x20,
  kMsrRing = 0x40,
  kMsrDcd = 0x80
};

constexpr size_t kFifoSize = 16;
constexpr u64 kClockHz = 1843200;  // the PC's UART crystal
constexpr u64 kClocksPerBit = 16;
constexpr u64 kNanosPerSecond = 1000000000;

}  // namespace

Uart16550::Uart16550(u16 base, Timeline& timeline, IrqLine irq, std::function<void(u8)> sink)
    : base_(base),
      timeline_(timeline),
      irq_(std::move(irq)),
      sink_(std::move(sink)),
      timeout_timer_(timeline, [this] {
        timeout_pending_ = !fifo_.empty();
        update_irq();
      }) {
  msr_ = modem_inputs();
}

void Uart16550::reset() {
  ier_ = fcr_ = lcr_ = mcr_ = 0;
  thre_pending_ = overrun_ = false;
  clear_receiver();
  msr_ = modem_inputs();
  update_irq();
  refill();
}

bool Uart16550::dlab() const { return (lcr_ & kLcrDlab) != 0; }
bool Uart16550::loopback() const { return (mcr_ & kMcrLoop) != 0; }
size_t Uart16550::fifo_capacity() const { return fifo_enabled() ? kFifoSize : 1; }

size_t Uart16550::trigger_level() const {
  constexpr size_t kLevels[] = {1, 4, 8, 14};
  return fifo_enabled() ? kLevels[fcr_ >> 6] : 1;
}

u64 Uart16550::character_time_ns() const {
  const u64 data_bits = 5 + (lcr_ & 3);
  const u64 frame_bits = 1 + data_bits + ((lcr_ >> 3) & 1) + 1 + ((lcr_ >> 2) & 1);
  const u64 divisor = divisor_ == 0 ? 0x10000 : divisor_;
  return frame_bits * divisor * kClocksPerBit * kNanosPerSecond / kClockHz;
}

void Uart16550::receive(u8 byte) {
  host_queue_.push_back(byte);
  refill();
}

u8 Uart16550::read_byte(u16 port) {
  switch (static_cast<u16>(port - base_)) {
    case kData:
      return dlab() ? static_cast<u8>(divisor_) : read_data();
    case kIer:
      return dlab() ? static_cast<u8>(divisor_ >> 8) : ier_;
    case kIirFcr:
      return read_iir();
    case kLcr:
      return lcr_;
    case kMcr:
      return mcr_;
    case kLsr:
      return read_lsr();
    case kMsr:
      return read_msr();
    case kScratch:
      return scratch_;
    default:
      return kOpenBus;
  }
}

void Uart16550::write_byte(u16 port, u8 value) {
  switch (static_cast<u16>(port - base_)) {
    case kData:
      if (dlab()) {
        divisor_ = static_cast<u16>((divisor_ & 0xff00) | value);
      } else {
        write_data(value);
      }
      break;
    case kIer:
      if (dlab()) {
        divisor_ = static_cast<u16>((divisor_ & 0x00ff) | value << 8);
      } else {
        write_ier(value);
      }
      break;
    case kIirFcr:
      write_fcr(value);
      break;
    case kLcr:
      lcr_ = value;
      break;
    case kMcr:
      write_mcr(value);
      break;
    case kScratch:
      scratch_ = value;
      break;
    default:  // LSR and MSR are read-only to software
      break;
  }
}

u8 Uart16550::read_data() {
  if (fifo_.empty()) return last_data_;
  last_data_ = fifo_.front();
  fifo_.pop_front();
  timeout_pending_ = false;
  restart_timeout();
  // The line falls here when the level is below the trigger, before the next byte arrives.
  update_irq();
  refill();
  return last_data_;
}

u8 Uart16550::read_iir() {
  const u8 id = interrupt_id();
  // PC16550D table 5: reading IIR resets the THRE interrupt if it is the source reported.
  if (id == kIirThre) {
    thre_pending_ = false;
    update_irq();
  }
  return fifo_enabled() ? static_cast<u8>(id | kIirFifosEnabled) : id;
}

u8 Uart16550::read_lsr() {
  u8 value = kLsrThre | kLsrTemt;
  if (!fifo_.empty()) value |= kLsrData;
  if (overrun_) value |= kLsrOverrun;
  overrun_ = false;
  update_irq();
  return value;
}

u8 Uart16550::read_msr() {
  const u8 value = msr_;
  msr_ &= static_cast<u8>(~kMsrDeltas);
  update_irq();
  return value;
}

void Uart16550::write_data(u8 value) {
  thre_pending_ = false;
  update_irq();
  if (loopback()) {
    push_received(value);
  } else if (sink_) {
    sink_(value);
  }
  thre_pending_ = true;
  update_irq();
}

void Uart16550::write_ier(u8 value) {
  const u8 before = ier_;
  ier_ = value & kIerMask;
  // THR is always empty, so enabling the interrupt raises it at once: drivers rely on this to
  // start transmission.
  if ((ier_ & ~before & kIerThre) != 0) thre_pending_ = true;
  update_irq();
}

void Uart16550::write_fcr(u8 value) {
  const bool enable = (value & kFcrEnable) != 0;
  // Changing the enable bit clears the FIFOs; the other bits count only while it is written as 1.
  if (enable != fifo_enabled() || (enable && (value & kFcrClearReceiver) != 0)) clear_receiver();
  fcr_ = enable ? static_cast<u8>(value & kFcrKept) : 0;
  update_irq();
  refill();
}

void Uart16550::write_mcr(u8 value) {
  mcr_ = value & kMcrMask;
  update_modem_status();
  update_irq();
  refill();
}

// The upper half of MSR: a far end that is always ready, or MCR's outputs while looped back.
u8 Uart16550::modem_inputs() const {
  if (!loopback()) return kMsrCts | kMsrDsr | kMsrDcd;
  u8 value = 0;
  if ((mcr_ & kMcrRts) != 0) value |= kMsrCts;
  if ((mcr_ & kMcrDtr) != 0) value |= kMsrDsr;
  if ((mcr_ & kMcrOut1) != 0) value |= kMsrRing;
  if ((mcr_ & kMcrOut2) != 0) value |= kMsrDcd;
  return value;
}

void Uart16550::update_modem_status() {
  const u8 inputs = modem_inputs();
  u8 deltas = static_cast<u8>((inputs ^ msr_) >> 4);
  // The ring indicator reports its trailing edge only.
  if ((inputs & kMsrRing) != 0) deltas &= static_cast<u8>(~kMsrTrailingRing);
  msr_ = static_cast<u8>(inputs | (msr_ & kMsrDeltas) | deltas);
}

void Uart16550::push_received(u8 byte) {
  if (fifo_.size() >= fifo_capacity()) {
    overrun_ = true;
    // Without FIFOs the new character replaces the old one; with them it is lost.
    if (!fifo_enabled()) fifo_.back() = byte;
  } else {
    fifo_.push_back(byte);
  }
  timeout_pending_ = false;
  restart_timeout();
}

void Uart16550::clear_receiver() {
  fifo_.clear();
  timeout_pending_ = false;
  timeout_timer_.cancel();
}

void Uart16550::refill() {
  if (loopback()) return;  // the serial input is disconnected
  while (!host_queue_.empty() && fifo_.size() < fifo_capacity()) {
    push_received(host_queue_.front());
    host_queue_.pop_front();
  }
  update_irq();
}

// PC16550D 8.4: a FIFO that holds characters, with none received or read for four character times.
void Uart16550::restart_timeout() {
  if (fifo_enabled() && !fifo_.empty()) {
    timeout_timer_.arm(timeline_.now() + 4 * character_time_ns());
  } else {
    timeout_timer_.cancel();
  }
}

// The highest-priority source that is pending and enabled.
u8 Uart16550::interrupt_id() const {
  if ((ier_ & kIerLineStatus) != 0 && overrun_) return kIirLineStatus;
  if ((ier_ & kIerReceive) != 0) {
    if (fifo_.size() >= trigger_level()) return kIirReceive;
    if (timeout_pending_) return kIirTimeout;
  }
  if ((ier_ & kIerThre) != 0 && thre_pending_) return kIirThre;
  if ((ier_ & kIerModemStatus) != 0 && (msr_ & kMsrDeltas) != 0) return kIirModemStatus;
  return kIirNone;
}

void Uart16550::update_irq() {
  const bool level = interrupt_id() != kIirNone && (mcr_ & kMcrOut2) != 0;
  if (level == line_) return;
  line_ = level;
  if (irq_) irq_(level);
}

}  // namespace softvt
