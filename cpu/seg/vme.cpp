#include "cpu/seg/vme.h"

#include "cpu/access.h"
#include "cpu/seg/task_state.h"

namespace softvt {

namespace {

constexpr unsigned kIoMapBase = 0x66;
constexpr unsigned kBitmapBytes = 32;

// Reads the bit of the software interrupt redirection bitmap, which lies below the I/O map.
// SDM 3B 21.3.3.4, figure 21-5.
bool read_redirection_bit(Cpu& cpu, u8 vector, bool& bit) {
  const Segment& tss = cpu.seg[static_cast<unsigned>(Seg::TR)];
  const bool wide = (tss.type() & 8) != 0;
  u16 io_map = 0;
  if (!wide || tss.limit < kTss32Limit) {
    cpu.raise_gp(0);
    return false;
  }
  if (!read_system(cpu, (tss.base + kIoMapBase) & 0xffffffff, &io_map, 2)) return false;
  const u32 offset = u32{io_map} + vector / 8 - kBitmapBytes;
  if (io_map < kBitmapBytes || offset > tss.limit) {
    cpu.raise_gp(0);
    return false;
  }
  u8 byte;
  if (!read_system(cpu, (tss.base + offset) & 0xffffffff, &byte, 1)) return false;
  bit = ((byte >> (vector % 8)) & 1) != 0;
  return true;
}

}  // namespace

V86Interrupt classify_v86_interrupt(Cpu& cpu, u8 vector) {
  if (cpu.cr4 & cr4::VME) {
    bool to_idt;
    if (!read_redirection_bit(cpu, vector, to_idt)) return V86Interrupt::Fault;
    if (!to_idt) return V86Interrupt::Redirected;
  }
  if ((cpu.rflags_rest & rflags::IOPL) == rflags::IOPL) return V86Interrupt::Protected;
  cpu.raise_gp(0);
  return V86Interrupt::Fault;
}

}  // namespace softvt
