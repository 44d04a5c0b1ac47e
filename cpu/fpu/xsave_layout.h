// State components that XSAVE manages and where they lie. CPUID leaf 0Dh is made from these rows.
// SDM 1 13.1 "XSAVE-Supported Features and State-Component Bitmaps", 13.4 "XSAVE Area".
#pragma once
#include <span>
#include <string_view>

#include "cpu/cpu.h"

namespace softvt::fpu {

namespace xcr0 {
constexpr u64 X87 = 1 << 0, Sse = 1 << 1, Avx = 1 << 2, Pkru = 1 << 9;
}

// A component of the extended region. x87 and SSE have their fixed place in the legacy region.
struct XsaveComponent {
  u8 bit;
  u16 size;
  u16 standard_offset;  // in the standard format: CPUID.(0DH,bit).EBX
  bool align64;         // in the compacted format: CPUID.(0DH,bit).ECX[1]
  Feature feature;
  std::string_view name;
};

// By bit. A new component (AVX: bit 2, 256 bytes at 576) needs its row here, and its save, load,
// initialise and in-use functions in xsave_state.cpp.
constexpr XsaveComponent kXsaveComponents[] = {
    {9, 8, 2688, false, Feature::Pku, "PKRU"},
};

constexpr unsigned kXsaveHeaderOffset = 512, kXsaveHeaderSize = 64;
constexpr unsigned kExtendedOffset = kXsaveHeaderOffset + kXsaveHeaderSize;
constexpr u64 kCompacted = u64{1} << 63;  // XCOMP_BV[63]

// Bits that XSETBV may set on this processor. SDM 1 13.3; all supervisor components (IA32_XSS) are
// absent, so XSAVES and XRSTORS manage the same bits.
u64 supported_xcr0(const Cpu& cpu);
// May XCR0 have this value? SDM 2D "XSETBV".
bool valid_xcr0(const Cpu& cpu, u64 value);

// Bytes an XSAVE area needs for these components: standard format (CPUID.(0DH,0).EBX with XCR0,
// ECX with supported_xcr0) and compacted format (CPUID.(0DH,1).EBX with XCR0 | IA32_XSS).
unsigned standard_size(u64 components);
unsigned compacted_size(u64 components);
// Where `component` lies in an area of the given format.
unsigned component_offset(const XsaveComponent& component, u64 xcomp_bv);

// XINUSE: components not in their initial configuration. SDM 1 13.6.
u64 in_use(const Cpu& cpu);
// The same as XGETBV(1), XSAVEC and XSAVES see it: MXCSR counts for SSE.
u64 in_use_with_mxcsr(const Cpu& cpu);

// One component of the extended region.
void save_component(const Cpu& cpu, const XsaveComponent& component, u8* out);
void load_component(Cpu& cpu, const XsaveComponent& component, const u8* in);
// Initial configuration of any component, also 0 (x87) and 1 (SSE, MXCSR aside).
void initialise_component(Cpu& cpu, unsigned bit);

}  // namespace softvt::fpu
