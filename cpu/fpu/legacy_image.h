// The 512-byte legacy region that FXSAVE and the XSAVE family share.
// SDM 1 10.5.1 "FXSAVE Area", table 10-2; SDM 1 13.4.1 "Legacy Region of an XSAVE Area".
#pragma once
#include "cpu/cpu.h"

namespace softvt::fpu {

constexpr unsigned kLegacySize = 512;
constexpr unsigned kMxcsrOffset = 24, kStOffset = 32, kXmmOffset = 160;
constexpr unsigned kStBytes = 8 * 16;

// With REX.W the pointers are 64 bits wide and the selectors are not there.
enum class PointerFormat : u8 { SelectorAndOffset32, Offset64 };

// XMM registers the current mode can name; the others are neither saved nor loaded.
inline unsigned xmm_count(const Cpu& cpu) { return cpu.code64() ? 16 : 8; }

// Bits that MXCSR can have; what software finds in MXCSR_MASK. SDM 1 11.6.6.
u32 mxcsr_mask(const Cpu& cpu);

// AMD processors keep FOP, FIP and FDP out of the image and out of the registers unless an
// unmasked exception is pending. APM 2 11.4.4 "Saving Media and x87 State"; APM 5 "FXSAVE".
inline bool keeps_pointers(const Cpu& cpu, u16 fsw_image) {
  return cpu.intel || (fsw_image & 0x80) != 0;
}

// Bytes 0-23 and 32-159 / 24-31 / 160-415 of the image.
void encode_x87(const Cpu& cpu, PointerFormat format, u8* image);
void encode_mxcsr(const Cpu& cpu, u8* image);
void encode_xmm(const Cpu& cpu, u8* image);
void decode_x87(Cpu& cpu, PointerFormat format, const u8* image);
u32 image_mxcsr(const u8* image);
void decode_xmm(Cpu& cpu, const u8* image);

}  // namespace softvt::fpu
