#include "cpu/fpu/legacy_image.h"

#include <cstring>

#include "cpu/fpu/state.h"

namespace softvt::fpu {
namespace {

// Offsets. SDM 1 table 10-2.
constexpr unsigned kFcw = 0, kFsw = 2, kFtw = 4, kFop = 6, kFip = 8, kFcs = 12, kFdp = 16,
                   kFds = 20, kMxcsrMask = 28;
constexpr unsigned kRegisterStep = 16;

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

void decode_pointers(X87State& s, PointerFormat format, const u8* image) {
  s.fop = get<u16>(image + kFop) & 0x7ff;
  if (format == PointerFormat::Offset64) {
    s.fip = get<u64>(image + kFip);
    s.fdp = get<u64>(image + kFdp);
    s.fcs = s.fds = 0;
  } else {
    s.fip = get<u32>(image + kFip);
    s.fdp = get<u32>(image + kFdp);
    s.fcs = get<u16>(image + kFcs);
    s.fds = get<u16>(image + kFds);
  }
}

}  // namespace

u32 mxcsr_mask(const Cpu& cpu) {
  constexpr u32 kBase = 0xffff, kMisaligned = 1 << 17;  // APM 1 4.2.2: MXCSR.MM
  return cpu.has(Feature::MisalignSse) ? kBase | kMisaligned : kBase;
}

void encode_x87(const Cpu& cpu, PointerFormat format, u8* image) {
  const X87State& s = cpu.fpu;
  std::memset(image, 0, kMxcsrOffset);
  std::memset(image + kStOffset, 0, kStBytes);
  put<u16>(image + kFcw, s.fcw);
  put<u16>(image + kFsw, s.fsw);
  put<u8>(image + kFtw, s.tag_valid);
  put<u16>(image + kFop, s.fop);
  if (format == PointerFormat::Offset64) {
    put<u64>(image + kFip, s.fip);
    put<u64>(image + kFdp, s.fdp);
  } else {
    put<u32>(image + kFip, static_cast<u32>(s.fip));
    put<u16>(image + kFcs, s.fcs);
    put<u32>(image + kFdp, static_cast<u32>(s.fdp));
    put<u16>(image + kFds, s.fds);
  }
  for (unsigned i = 0; i < 8; ++i) {
    register_to(st(s, i), image + kStOffset + i * kRegisterStep);
  }
}

void encode_mxcsr(const Cpu& cpu, u8* image) {
  put<u32>(image + kMxcsrOffset, cpu.mxcsr);
  put<u32>(image + kMxcsrMask, mxcsr_mask(cpu));
}

void encode_xmm(const Cpu& cpu, u8* image) {
  std::memcpy(image + kXmmOffset, cpu.xmm, xmm_count(cpu) * sizeof(Xmm));
}

void decode_x87(Cpu& cpu, PointerFormat format, const u8* image) {
  X87State& s = cpu.fpu;
  set_control(s, get<u16>(image + kFcw));
  s.fsw = get<u16>(image + kFsw);
  s.tag_valid = get<u8>(image + kFtw);
  if (keeps_pointers(cpu, s.fsw)) decode_pointers(s, format, image);
  for (unsigned i = 0; i < 8; ++i) {
    s.st[physical(s, i)] = register_from(image + kStOffset + i * kRegisterStep);
  }
  update_summary(s);
}

u32 image_mxcsr(const u8* image) { return get<u32>(image + kMxcsrOffset); }

void decode_xmm(Cpu& cpu, const u8* image) {
  std::memcpy(cpu.xmm, image + kXmmOffset, xmm_count(cpu) * sizeof(Xmm));
}

}  // namespace softvt::fpu
