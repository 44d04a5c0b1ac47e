// A 16550A serial port (National PC16550D data sheet).
//
// Transmission takes no virtual time: a byte written to THR is at the sink at once. The line to the
// interrupt controller still falls and rises around it, as an edge-triggered receiver needs.
// Reception is fed from an unbounded queue on the host's side: bytes move into the receive FIFO (or
// the one-byte holding register) whenever it has room, so input is never overrun by the host.
// Resetting the receive FIFO drops what it holds, as in hardware.
// The line passes through the PC's OUT2 gate: no interrupt while MCR.OUT2 is 0.
#pragma once
#include <deque>
#include <functional>

#include "cpu/timeline.h"
#include "devices/byte_port_device.h"

namespace softvt {

class Uart16550 : public BytePortDevice {
 public:
  Uart16550(u16 base, Timeline& timeline, IrqLine irq, std::function<void(u8)> sink);

  std::string_view name() const override { return "uart16550"; }
  // A byte from the far end of the line.
  void receive(u8 byte);
  // Bytes that the guest has not yet been given.
  size_t queued() const { return host_queue_.size(); }
  // Master reset; the host's queue and the scratch and divisor registers keep their contents.
  void reset();

 protected:
  u8 read_byte(u16 port) override;
  void write_byte(u16 port, u8 value) override;

 private:
  bool dlab() const;
  bool fifo_enabled() const { return (fcr_ & 1) != 0; }
  bool loopback() const;
  size_t fifo_capacity() const;
  size_t trigger_level() const;
  u64 character_time_ns() const;

  u8 read_data();
  u8 read_iir();
  u8 read_lsr();
  u8 read_msr();
  void write_data(u8 value);
  void write_ier(u8 value);
  void write_fcr(u8 value);
  void write_mcr(u8 value);

  u8 modem_inputs() const;
  void update_modem_status();
  void push_received(u8 byte);
  void clear_receiver();
  void refill();
  void restart_timeout();
  u8 interrupt_id() const;
  void update_irq();

  const u16 base_;
  Timeline& timeline_;
  IrqLine irq_;
  std::function<void(u8)> sink_;
  Timeline::Timer timeout_timer_;

  std::deque<u8> host_queue_;
  std::deque<u8> fifo_;
  u8 last_data_ = 0;
  u8 ier_ = 0;
  u8 fcr_ = 0;
  u8 lcr_ = 0;
  u8 mcr_ = 0;
  u8 msr_ = 0;
  u8 scratch_ = 0;
  u16 divisor_ = 12;
  bool overrun_ = false;
  bool thre_pending_ = false;
  bool timeout_pending_ = false;
  bool line_ = false;
};

}  // namespace softvt
