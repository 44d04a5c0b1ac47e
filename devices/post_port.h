// The ports whose only effect is to take time on the bus: the POST code port 0x80 and its
// alternative 0xed. Each keeps its last byte, so a POST code can be read back.
#pragma once
#include "devices/byte_port_device.h"

namespace softvt {

class PostPort : public BytePortDevice {
 public:
  std::string_view name() const override { return "post-port"; }
  u8 post_code() const { return post_code_; }

 protected:
  u8 read_byte(u16 port) override;
  void write_byte(u16 port, u8 value) override;

 private:
  u8 post_code_ = 0;
  u8 delay_ = 0;
};

}  // namespace softvt
