// Segment registers between the processor's form and the VMCB's.
// APM 2 15.5.1 "Basic Operation", "Segment State in the VMCB".
#pragma once
#include "cpu/cpu.h"
#include "svm/vmcb_fields.h"

namespace softvt::svm {

// Descriptor bits 47:40 and 55:52 side by side in the VMCB, four bits apart in `rights`.
constexpr u16 pack_rights(u32 rights) {
  if (rights & seg_rights::Unusable) return 0;
  return static_cast<u16>((rights & 0xff) | ((rights >> 4) & 0xf00));
}
constexpr u32 unpack_rights(u16 attributes) {
  return (attributes & 0xffu) | (attributes & 0xf00u) << 4;
}

inline VmcbSegment to_vmcb(const Segment& s) {
  return {s.selector, pack_rights(s.rights), s.limit, s.base};
}

// Only what decides whether a base is loaded sign-extended: the processor's widest linear address.
inline u64 canonicalized(const Cpu& cpu, u64 base) {
  const unsigned spare = cpu.has(Feature::La57) ? 7 : 16;
  return static_cast<u64>(static_cast<i64>(base << spare) >> spare);
}

// Data segments, LDTR: P = 0 means a null selector.
inline Segment from_vmcb(const Cpu& cpu, const VmcbSegment& s) {
  Segment out{s.selector, s.limit, canonicalized(cpu, s.base), unpack_rights(s.attributes)};
  if ((out.rights & seg_rights::P) == 0) out.rights |= seg_rights::Unusable;
  return out;
}
// CS and TR are never null; their P bit is ignored.
inline Segment code_from_vmcb(const Cpu& cpu, const VmcbSegment& s) {
  Segment out{s.selector, s.limit, canonicalized(cpu, s.base), unpack_rights(s.attributes)};
  out.rights |= seg_rights::P | seg_rights::S | seg_rights::Code;
  return out;
}
// SS carries the CPL in its DPL here; in the VMCB the CPL has a field of its own.
inline Segment stack_from_vmcb(const Cpu& cpu, const VmcbSegment& s, unsigned cpl) {
  Segment out = from_vmcb(cpu, s);
  out.rights = (out.rights & ~seg_rights::DplMask) | cpl << seg_rights::DplShift;
  return out;
}

// Puts a segment in place without recomputing the mode; the caller does that once for all of them.
inline void place(Cpu& cpu, Seg which, const Segment& s) {
  const auto i = static_cast<unsigned>(which);
  cpu.seg[i] = s;
  if (i < 6) cpu.r[slot::kSegBase + i] = s.base;
}

inline const Segment& segment(const Cpu& cpu, Seg which) {
  return cpu.seg[static_cast<unsigned>(which)];
}

// What guest and host state have in common: everything that VMRUN and #VMEXIT exchange but CR2, the
// debug registers and G_PAT.
void store_world(const Cpu& cpu, Vmcb to, u64 rip);
void load_world(Cpu& cpu, Vmcb from);

}  // namespace softvt::svm
