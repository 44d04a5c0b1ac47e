#include "cpu/fpu/environment.h"

#include <cstring>

#include "cpu/access.h"
#include "cpu/fpu/operations.h"
#include "cpu/fpu/state.h"

namespace softvt::fpu {
namespace {

constexpr unsigned kSaveMax = 28 + 8 * kExtendedSize;
constexpr u32 kReservedHigh =
    0xffff0000;  // reserved halves of the 32-bit formats are stored as ones

template <class T>
void put(u8* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}
template <class T>
T get(const u8* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// The real-address formats hold linear addresses instead of selector and offset.
u32 linear(u16 selector, u64 offset) { return (u32{selector} << 4) + static_cast<u32>(offset); }

unsigned tag_of(const X87Reg& v) {
  const unsigned exponent = v.sign_exponent & 0x7fff;
  if (exponent == 0) return v.significand == 0 ? 1 : 2;
  return exponent == 0x7fff || (v.significand >> 63) == 0 ? 2 : 0;
}

EnvironmentFormat format_of(const Cpu& cpu, const Insn& in) {
  const bool wide = in.opsize != 2;
  if (cpu.real_or_v86()) return wide ? EnvironmentFormat::Real32 : EnvironmentFormat::Real16;
  return wide ? EnvironmentFormat::Protected32 : EnvironmentFormat::Protected16;
}

// Behind the environment FNSAVE and FRSTOR have ST(0) to ST(7).
void encode_registers(const X87State& s, u8* image) {
  for (unsigned i = 0; i < 8; ++i) register_to(st(s, i), image + i * kExtendedSize);
}
void decode_registers(X87State& s, const u8* image) {
  for (unsigned i = 0; i < 8; ++i) {
    s.st[physical(s, i)] = register_from(image + i * kExtendedSize);
  }
}

bool write_image(Cpu& cpu, const Insn& in, const u8* image, unsigned size) {
  u64 address;
  return operand_address(cpu, in, size, Access::Write, address) &&
         write_linear(cpu, address, image, size);
}
bool read_image(Cpu& cpu, const Insn& in, u8* image, unsigned size) {
  u64 address;
  return operand_address(cpu, in, size, Access::Read, address) &&
         read_linear(cpu, address, image, size);
}

}  // namespace

u16 full_tag_word(const X87State& s) {
  unsigned word = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const bool valid = (s.tag_valid & (1u << i)) != 0;
    word |= (valid ? tag_of(s.st[i]) : 3u) << (2 * i);
  }
  return static_cast<u16>(word);
}

u8 abridged_tag(u16 full) {
  unsigned valid = 0;
  for (unsigned i = 0; i < 8; ++i) {
    if (((full >> (2 * i)) & 3) != 3) valid |= 1u << i;
  }
  return static_cast<u8>(valid);
}

void encode_environment(const X87State& s, EnvironmentFormat format, u8* image) {
  const u16 tags = full_tag_word(s);
  const u32 ip = linear(s.fcs, s.fip), dp = linear(s.fds, s.fdp);
  switch (format) {
    case EnvironmentFormat::Protected32:
    case EnvironmentFormat::Real32: {
      put<u32>(image, kReservedHigh | s.fcw);
      put<u32>(image + 4, kReservedHigh | s.fsw);
      put<u32>(image + 8, kReservedHigh | tags);
      const bool real = format == EnvironmentFormat::Real32;
      put<u32>(image + 12, real ? kReservedHigh | (ip & 0xffff) : static_cast<u32>(s.fip));
      put<u32>(image + 16, real ? ((ip >> 16) << 12) | s.fop : (u32{s.fop} << 16) | s.fcs);
      put<u32>(image + 20, real ? kReservedHigh | (dp & 0xffff) : static_cast<u32>(s.fdp));
      put<u32>(image + 24, real ? (dp >> 16) << 12 : kReservedHigh | s.fds);
      return;
    }
    case EnvironmentFormat::Protected16:
    case EnvironmentFormat::Real16: {
      put<u16>(image, s.fcw);
      put<u16>(image + 2, s.fsw);
      put<u16>(image + 4, tags);
      const bool real = format == EnvironmentFormat::Real16;
      put<u16>(image + 6, static_cast<u16>(real ? ip : s.fip));
      put<u16>(image + 8, static_cast<u16>(real ? ((ip >> 4) & 0xf000) | s.fop : s.fcs));
      put<u16>(image + 10, static_cast<u16>(real ? dp : s.fdp));
      put<u16>(image + 12, static_cast<u16>(real ? (dp >> 4) & 0xf000 : s.fds));
      return;
    }
  }
}

void decode_environment(X87State& s, EnvironmentFormat format, const u8* image) {
  const bool wide = environment_size(format) == 28;
  const unsigned step = wide ? 4 : 2;
  set_control(s, get<u16>(image));
  s.fsw = get<u16>(image + step);
  s.tag_valid = abridged_tag(get<u16>(image + 2 * step));
  const u8* pointers = image + 3 * step;
  constexpr u16 kOpcodeMask = 0x7ff;
  switch (format) {
    case EnvironmentFormat::Protected32:
      s.fip = get<u32>(pointers);
      s.fcs = get<u16>(pointers + 4);
      s.fop = get<u16>(pointers + 6) & kOpcodeMask;
      s.fdp = get<u32>(pointers + 8);
      s.fds = get<u16>(pointers + 12);
      break;
    case EnvironmentFormat::Real32:
      s.fip = get<u16>(pointers) | ((get<u32>(pointers + 4) >> 12 & 0xffff) << 16);
      s.fop = get<u16>(pointers + 4) & kOpcodeMask;
      s.fdp = get<u16>(pointers + 8) | ((get<u32>(pointers + 12) >> 12 & 0xffff) << 16);
      s.fcs = s.fds = 0;
      break;
    case EnvironmentFormat::Protected16:  // has no opcode
      s.fip = get<u16>(pointers);
      s.fcs = get<u16>(pointers + 2);
      s.fdp = get<u16>(pointers + 4);
      s.fds = get<u16>(pointers + 6);
      break;
    case EnvironmentFormat::Real16:
      s.fip = get<u16>(pointers) | (u32{get<u16>(pointers + 2)} & 0xf000) << 4;
      s.fop = get<u16>(pointers + 2) & kOpcodeMask;
      s.fdp = get<u16>(pointers + 4) | (u32{get<u16>(pointers + 6)} & 0xf000) << 4;
      s.fcs = s.fds = 0;
      break;
  }
  update_summary(s);
}

Step fnstenv(Cpu& cpu, const Insn& in) {
  const EnvironmentFormat format = format_of(cpu, in);
  u8 image[28];
  encode_environment(cpu.fpu, format, image);
  if (!write_image(cpu, in, image, environment_size(format))) return Step::Fault;
  cpu.fpu.fcw |= fsw::Exceptions;  // "then masks all floating-point exceptions"
  update_summary(cpu.fpu);
  return Step::Next;
}

Step fldenv(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  const EnvironmentFormat format = format_of(cpu, in);
  u8 image[28];
  if (!read_image(cpu, in, image, environment_size(format))) return Step::Fault;
  decode_environment(cpu.fpu, format, image);
  return Step::Next;
}

Step fnsave(Cpu& cpu, const Insn& in) {
  const EnvironmentFormat format = format_of(cpu, in);
  const unsigned size = environment_size(format);
  u8 image[kSaveMax];
  encode_environment(cpu.fpu, format, image);
  encode_registers(cpu.fpu, image + size);
  if (!write_image(cpu, in, image, size + 8 * kExtendedSize)) return Step::Fault;
  initialise(cpu.fpu);
  return Step::Next;
}

Step frstor(Cpu& cpu, const Insn& in) {
  if (!begin(cpu)) return Step::Fault;
  const EnvironmentFormat format = format_of(cpu, in);
  const unsigned size = environment_size(format);
  u8 image[kSaveMax];
  if (!read_image(cpu, in, image, size + 8 * kExtendedSize)) return Step::Fault;
  decode_environment(cpu.fpu, format, image);
  decode_registers(cpu.fpu, image + size);
  return Step::Next;
}

}  // namespace softvt::fpu
