// The pair of 8259A interrupt controllers of a PC: a master at 0x20 and a slave cascaded into its
// input 2 at 0xa0, with the edge/level control registers (ELCR) of PCI chipsets.
//
// A source must hold its line until it is acknowledged: an input that falls earlier takes its
// request back, and an acknowledge that finds no request answers with the spurious vector of IR7
// (8259A datasheet, "Interrupt Request Register"; "Default IR7").
#pragma once
#include <array>

#include "devices/device.h"

namespace softvt {

class I8259 : public PortDevice {
 public:
  static constexpr u16 kMasterPort = 0x20;
  static constexpr u16 kSlavePort = 0xa0;
  static constexpr u16 kElcrPort = 0x4d0;
  static constexpr unsigned kLines = 16;
  static constexpr unsigned kCascadeLine = 2;

  explicit I8259(IrqLine intr) : intr_(std::move(intr)) { reset(); }

  std::string_view name() const override { return "i8259"; }
  u32 port_read(u16 port, unsigned size) override;
  void port_write(u16 port, u32 value, unsigned size) override;

  void reset();

  // Input line 0..15; line 2 is the cascade and has no outside source.
  void set_irq(unsigned line, bool level);

  // The INTR output to the processor.
  bool intr() const { return intr_level_; }

  // The two INTA cycles of the processor: the vector of the request that wins.
  u8 acknowledge();

 private:
  enum class InitStep : u8 { kDone, kIcw2, kIcw3, kIcw4 };

  struct Chip {
    u8 lines = 0;            // inputs as they are now
    u8 edge_latch = 0;       // rising edges that wait for an acknowledge
    u8 level_triggered = 0;  // ELCR
    u8 level_capable = 0;    // ELCR bits that can be set
    u8 mask = 0;             // IMR
    u8 in_service = 0;       // ISR
    u8 vector_base = 0;
    u8 lowest_priority = 7;
    InitStep init_step = InitStep::kDone;
    bool single = false;
    bool wants_icw4 = false;
    bool auto_eoi = false;
    bool rotate_on_auto_eoi = false;
    bool special_mask = false;
    bool special_fully_nested = false;
    bool read_in_service = false;
    bool poll = false;

    u8 requests() const;
    int winner(bool has_cascade) const;
    bool blocked(unsigned line, bool has_cascade) const;
    void set_line(unsigned line, bool level);
    void acknowledge(unsigned line);
    void begin_init(u8 icw1);
    void write_init_word(u8 value);
    void write_ocw2(u8 value);
    void write_ocw3(u8 value);
    void end_of_interrupt(int line, bool rotate);
    int highest_in_service() const;
  };

  static constexpr unsigned kMaster = 0;
  static constexpr unsigned kSlave = 1;

  bool has_cascade(unsigned chip) const { return chip == kMaster && !chips_[kMaster].single; }
  int winner(unsigned chip) const { return chips_[chip].winner(has_cascade(chip)); }
  void acknowledge_chip(unsigned chip, unsigned line);
  u8 read_byte(u16 port);
  void write_byte(u16 port, u8 value);
  u8 read_chip(unsigned chip, bool odd);
  void write_chip(unsigned chip, bool odd, u8 value);
  u8 poll(unsigned chip);
  void update();

  std::array<Chip, 2> chips_;
  IrqLine intr_;
  bool intr_level_ = false;
};

}  // namespace softvt
