#include "devices/debug_exit.h"

namespace softvt {

u32 DebugExit::port_read(u16, unsigned) { return 0; }

void DebugExit::port_write(u16 port, u32 value, unsigned size) {
  if (port != port_) return;
  const u32 mask = size >= 4 ? ~u32{0} : (u32{1} << (8 * size)) - 1;
  if (on_exit_) on_exit_(value & mask);
}

}  // namespace softvt
