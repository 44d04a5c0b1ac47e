// SDM 2A "INS/INSB/INSW/INSD", SDM 2B "OUTS/OUTSB/OUTSW/OUTSD".
#include "cpu/insn/rows.h"
#include "cpu/insn/string_common.h"
#include "cpu/sys/intercepted.h"
#include "cpu/sys/io.h"

namespace softvt::insn {
namespace {

// The linear address that an interceptor is told, before segment checks. SDM 3C 28.2.1, APM 2
// 15.10.2.
u64 reported_address(const Cpu& cpu, const Insn& in, Seg seg, Gpr reg) {
  const bool flat = cpu.code64() && seg != Seg::FS && seg != Seg::GS;
  const u64 base = flat ? 0 : cpu.seg[static_cast<u8>(seg) & 7].base;
  return (base + index_register(cpu, in, reg)) & (cpu.code64() ? ~u64{0} : 0xffffffff);
}

struct Ins {
  static constexpr Intercept kIntercept = Intercept::Ins;
  static constexpr Gpr kIndex = RDI;
  static Seg segment(const Insn&) { return Seg::ES; }

  // The port is read only once nothing can fault any more: reading may change the device.
  template <class T>
  static bool transfer(Cpu& cpu, const Insn& in, u16 port) {
    u64 linear;
    if (!destination_address(cpu, in, sizeof(T), Access::Write, linear) ||
        !probe_write(cpu, linear, sizeof(T))) {
      return false;
    }
    const T value = static_cast<T>(port_read(cpu, port, sizeof(T)));
    (void)write_linear(cpu, linear, &value, sizeof(T));
    return true;
  }
};

struct Outs {
  static constexpr Intercept kIntercept = Intercept::Outs;
  static constexpr Gpr kIndex = RSI;
  static Seg segment(const Insn& in) { return static_cast<Seg>(in.seg); }

  template <class T>
  static bool transfer(Cpu& cpu, const Insn& in, u16 port) {
    u64 linear;
    T value;
    if (!source_address(cpu, in, sizeof(T), linear) ||
        !read_linear(cpu, linear, &value, sizeof(T))) {
      return false;
    }
    port_write(cpu, port, value, sizeof(T));
    return true;
  }
};

template <class Kind, class T>
Step string_io(Cpu& cpu, const Insn& in) {
  const u16 port = get_reg<u16>(cpu, kDx);
  // Even where the count is 0.
  if (!io_allowed(cpu, port, sizeof(T))) return Step::Fault;
  if (repeated(in) && repeat_count(cpu, in) == 0) {
    finish_idle(cpu, in);
    return Step::EndBlock;
  }
  if (cpu.guest_mode) {  // behind the I/O permission check, before memory faults. SDM 3C 26.1.1
    const u64 address = reported_address(cpu, in, Kind::segment(in), Kind::kIndex);
    if (cpu.intercepted(in, Kind::kIntercept, port | u64{sizeof(T)} << 16, address)) {
      return intercepted_step(cpu);
    }
  }
  if (!Kind::template transfer<T>(cpu, in, port)) return Step::Fault;
  advance(cpu, in, Kind::kIndex, sizeof(T));
  // A device may have asked for anything: interrupts are looked at before the next instruction.
  return finish_iterations(cpu, in) == Step::Repeat ? Step::Repeat : Step::EndBlock;
}

constexpr InsnRow kRows[] = {
    {.mnemonic = ZYDIS_MNEMONIC_INSB, .fn = string_io<Ins, u8>, .ends_block = true},
    {.mnemonic = ZYDIS_MNEMONIC_INSW, .fn = string_io<Ins, u16>, .ends_block = true},
    {.mnemonic = ZYDIS_MNEMONIC_INSD, .fn = string_io<Ins, u32>, .ends_block = true},
    {.mnemonic = ZYDIS_MNEMONIC_OUTSB, .fn = string_io<Outs, u8>, .ends_block = true},
    {.mnemonic = ZYDIS_MNEMONIC_OUTSW, .fn = string_io<Outs, u16>, .ends_block = true},
    {.mnemonic = ZYDIS_MNEMONIC_OUTSD, .fn = string_io<Outs, u32>, .ends_block = true},
};

}  // namespace

std::span<const InsnRow> string_io_rows() { return kRows; }

}  // namespace softvt::insn
