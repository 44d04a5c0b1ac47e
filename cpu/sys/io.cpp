#include "cpu/sys/io.h"

#include "cpu/access.h"
#include "cpu/sys/debug_regs.h"
#include "cpu/sys/handlers.h"
#include "cpu/sys/intercepted.h"

namespace softvt {
namespace {

constexpr unsigned kTssAvailable = 9, kTssBusy = 11;  // 32-bit or 64-bit TSS
constexpr u32 kIoMapBaseOffset = 0x66;

bool refuse(Cpu& cpu) {
  cpu.raise_gp(0);
  return false;
}

// SDM 1 19.5.2 "I/O Permission Bit Map": two bytes are read, and both must lie inside the limit.
bool bitmap_allows(Cpu& cpu, u16 port, unsigned size) {
  const Segment& tr = cpu.seg[static_cast<unsigned>(Seg::TR)];
  const bool has_map = !tr.unusable() && (tr.rights & seg_rights::P) &&
                       (tr.type() == kTssAvailable || tr.type() == kTssBusy);
  if (!has_map || tr.limit < kIoMapBaseOffset + 1) return refuse(cpu);
  u16 base;
  if (!read_system(cpu, tr.base + kIoMapBaseOffset, &base, 2)) return false;
  const u32 offset = u32{base} + port / 8;
  if (offset + 1 > tr.limit) return refuse(cpu);
  u16 map;
  if (!read_system(cpu, tr.base + offset, &map, 2)) return false;
  const unsigned bits = ((1u << size) - 1) << (port % 8);
  return (map & bits) == 0 ? true : refuse(cpu);
}

struct PortOperand {
  u16 port;
  unsigned size;
};

// E4..E7 have the port as an immediate, EC..EF in DX; odd opcodes are the wide ones.
PortOperand port_operand(const Cpu& cpu, const Insn& in) {
  const bool in_dx = in.opcode & 8;
  const unsigned wide = in.opsize == 2 ? 2 : 4;
  return {in_dx ? get_reg<u16>(cpu, RDX * 8) : static_cast<u16>(in.imm & 0xff),
          (in.opcode & 1) ? wide : 1};
}

u64 detail(const PortOperand& p) { return p.port | u64{p.size} << 16; }

}  // namespace

bool io_allowed(Cpu& cpu, u16 port, unsigned size) {
  if (!cpu.protected_mode()) return true;
  const unsigned iopl = (cpu.rflags_rest & rflags::IOPL) >> 12;
  if (!cpu.v86() && cpu.cpl() <= iopl) return true;
  return bitmap_allows(cpu, port, size);
}

u32 port_read(Cpu& cpu, u16 port, unsigned size) {
  cpu.pending_dr6 |= match_io_breakpoint(cpu, port, size);
  cpu.sync_time();
  const u32 value = cpu.bus ? cpu.bus->port_in(port, size) : 0xffffffff;
  return value & static_cast<u32>(size_mask(size));
}

void port_write(Cpu& cpu, u16 port, u32 value, unsigned size) {
  cpu.pending_dr6 |= match_io_breakpoint(cpu, port, size);
  cpu.sync_time();
  if (cpu.bus) cpu.bus->port_out(port, value & static_cast<u32>(size_mask(size)), size);
}

Step in_port(Cpu& cpu, const Insn& in) {
  const PortOperand p = port_operand(cpu, in);
  if (!io_allowed(cpu, p.port, p.size)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::IoIn, detail(p))) return intercepted_step(cpu);
  put_reg_sized(cpu, RAX * 8, p.size, port_read(cpu, p.port, p.size));
  return Step::EndBlock;
}

Step out_port(Cpu& cpu, const Insn& in) {
  const PortOperand p = port_operand(cpu, in);
  if (!io_allowed(cpu, p.port, p.size)) return Step::Fault;
  if (cpu.intercepted(in, Intercept::IoOut, detail(p))) return intercepted_step(cpu);
  port_write(cpu, p.port, get_reg<u32>(cpu, RAX * 8), p.size);
  return Step::EndBlock;
}

}  // namespace softvt
